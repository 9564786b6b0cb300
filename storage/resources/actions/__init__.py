"""Actions on the blocks of messages: what is written, and how it is read."""
