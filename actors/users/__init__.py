"""The connected users: their own channels, their status, their unread counts."""
