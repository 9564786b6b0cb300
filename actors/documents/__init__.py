"""Artifacts that several people edit at once."""
