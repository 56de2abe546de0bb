"""A support vector machine with a conditional space, trained live.

Imported by nobody: reached by `_target_`.
"""
