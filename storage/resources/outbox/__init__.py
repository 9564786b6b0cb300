"""The outbox: what is due, and what became of it."""
