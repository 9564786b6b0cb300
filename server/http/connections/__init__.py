"""A client's connection: what it may send, take and hold, and how long it may take."""
