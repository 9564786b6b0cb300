"""Artifacts: what is written, and how it is read."""
