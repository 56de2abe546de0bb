"""Tasks: what is optimized. One family a file."""
