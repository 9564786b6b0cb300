"""One folder a resource: its operations, and its views on the wire."""
