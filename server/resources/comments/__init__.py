"""Comments on artifacts, on the wire."""
