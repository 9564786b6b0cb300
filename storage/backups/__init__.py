"""Backups that are made by a schedule: encrypted, kept on a shelf, verified by a restore."""
