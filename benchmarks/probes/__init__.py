"""The probe group: the same task disguised, to measure what memory and names are worth.

Imported by nobody: reached by `_target_`.
"""
