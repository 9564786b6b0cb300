"""Live transports: the WebSocket protocol and server-sent events."""
