"""Scheduled messages and reminders: what is written, and how it is read."""
