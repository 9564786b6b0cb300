"""Administrators watch a user, a thread or a connection live: what happens, how large, how long; never content."""
