"""Proposals: what is written, and how they are read."""
