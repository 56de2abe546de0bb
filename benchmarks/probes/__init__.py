"""The probe group: disguised tasks, which measure the effect of memory and names.

Built by `_target_`; no other room imports it.
"""
