"""One live conversation: its actor, and the parts of that."""
