"""The reading half: queries on read-only connections."""
