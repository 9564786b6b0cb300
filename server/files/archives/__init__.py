"""Archives: what is in them, and whether unpacking them would do harm."""
