"""Actions on the blocks of messages and artifacts: what is written, and how it is read."""
