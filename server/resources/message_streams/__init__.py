"""Streams on the wire, and the operations on them."""
