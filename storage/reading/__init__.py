"""Questions become records, on read-only connections."""
