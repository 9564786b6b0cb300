"""What all operations share: their registry, what they work with, how records are shown."""
