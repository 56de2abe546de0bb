"""HPOBench: its neural-network tables, its official tables, and its models trained live.

Each benchmark is in the file of its name. Besides this room, `tabulate` imports the layout of the official tables.
"""
