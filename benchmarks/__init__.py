"""Tasks: what is optimized. One file per family."""
