"""The connections of clients, on their way from one server to the next."""

import socket
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from server.http.server import HttpServer


@dataclass(slots=True)
class Relay:
    connections: list[socket.socket] = field(default_factory=list)
    """Between two requests each; what their clients send meanwhile waits in them."""
    left_at: float | None = None
    """When the server began to end for another one, so that its connections are wanted; by `time.monotonic`."""
    http: "HttpServer | None" = None
    """The server of this process, while it runs."""

    @property
    def is_leaving(self) -> bool:
        return self.left_at is not None

    def leave(self) -> None:
        self.left_at = time.monotonic()

    async def adopt(self) -> None:
        """Let the running server go on with them."""
        assert self.http is not None
        adopted, self.connections = self.connections, []
        await self.http.adopt(adopted)

    def drop(self) -> None:
        """They belong to another process now."""
        for connection in self.connections:
            connection.close()
        self.connections = []
