"""Quality and fairness on data about people, trained live.

Imported by nobody: reached by `_target_`.
"""
