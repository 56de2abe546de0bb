"""Who optimizes. One method a file."""
