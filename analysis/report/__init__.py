"""Everything one experiment is turned into: its tables and figures, the headline, the report page.

Imports all other rooms.
"""
