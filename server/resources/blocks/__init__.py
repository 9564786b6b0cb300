"""Blocks on the wire: checked, and rendered."""
