"""Runs on disk in, numbers, tables, figures and the report page out."""
