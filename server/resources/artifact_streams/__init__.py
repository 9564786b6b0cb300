"""Texts that grow in artifacts, on the wire."""
