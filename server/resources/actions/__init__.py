"""Actions on the blocks of messages and artifacts, on the wire."""
