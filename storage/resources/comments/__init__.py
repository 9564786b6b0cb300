"""Comments on artifacts: what is written, and how they are read."""
