"""Limits of what a client may use: rates, connections, bytes."""
