"""Actions on the blocks of messages, on the wire."""
