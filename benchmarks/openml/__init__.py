"""OpenML: models trained on any supervised task, with its data and official splits from the openml client.

`hpobench` and `fairness` import its data.
"""
