"""Artifacts that several people edit at once: the CRDT, and the WebSocket that `y-websocket` speaks to."""
