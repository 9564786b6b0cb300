"""Proposals: operations, views and events."""
