"""Local models from packages: the catalogue, downloads, conversion.

`llms.prepare` and the server's room import it.
"""
