"""Artifacts: documents of a thread that people and agents write together, with versions. Pure."""
