"""Who optimizes. One file per method."""
