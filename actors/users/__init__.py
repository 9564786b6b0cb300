"""The connected users: what their own channels carry, who is online, what is unread."""
