"""What carries the protocol: WebSocket, and HTTP where WebSockets do not get through."""
