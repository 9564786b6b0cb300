"""The outbox: notifications that leave the server, each in its way."""
