"""Texts that grow in artifacts: what is written, and how they are read."""
