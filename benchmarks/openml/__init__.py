"""OpenML: any supervised task, its data and official splits through the openml client, and models trained on it.

hpobench and fairness take their data from here.
"""
