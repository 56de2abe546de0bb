"""From runs on disk to numbers, tables, figures and the report page."""
