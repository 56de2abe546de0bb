"""What a sweep will take, from what was recorded before: ``python -m analysis.plan``, which ``dry=true`` calls.

Imported by nobody.
"""
