"""What is told to administrators who watch a user, a thread or a connection live: `server/telemetry/watching/`.

While nobody watches, `Stage.watcher` is None, and nothing is done but that check.
"""

from collections.abc import Sequence
from typing import Protocol

from actors.delivery.publication import Publications
from actors.events import Event


class Watcher(Protocol):
    """Called on the event loop, where it happens."""

    def wrote(self, client_id: str, size: int) -> None:
        """So many bytes were handed to the socket of a connection."""
        ...

    def delivered(self, client_id: str, publications: Publications) -> None:
        """To the outbox of a connection."""
        ...

    def published(self, thread_id: str, events: Sequence[Event]) -> None: ...

    def closed(self, client_id: str, code: int, reason: str) -> None:
        """By the server."""
        ...
