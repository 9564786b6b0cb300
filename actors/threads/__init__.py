"""One live conversation: its actor, and what the actor holds."""
