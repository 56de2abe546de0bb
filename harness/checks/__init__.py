"""The contract of plug-ins: functions that run a plug-in and report what it breaks.

Imported by ``harness.check`` and by the contract tests, never by a run.
"""
