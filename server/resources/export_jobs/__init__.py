"""Exports that are made as jobs, on the wire, and the operations on them."""
