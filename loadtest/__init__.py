"""A load generator that knows a server by its API alone: REST, and the WebSocket protocol of real clients."""
