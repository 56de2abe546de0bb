"""What a plug-in must keep, as functions that play it and say in sentences what it breaks.

Imported by ``harness.check`` and by the contract tests; nothing that a run needs is in here.
"""
