"""Webhooks: what is written, how it is read, and what is due."""
