"""Quality and fairness on data about people, trained live.

Built by `_target_`; no other room imports it.
"""
