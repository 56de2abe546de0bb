"""The output of an analysis: tables, figures, headline and report page.

Imports all other rooms.
"""
