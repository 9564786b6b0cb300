"""What connections owe their readers, by their own accounts."""

import pytest

from actors.delivery.connection import ConnectionActor
from server.realtime.protocol import codes as protocol


class Gauge:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.most = 0
        """Bytes that ever waited for one reader."""
        self.codes: list[int] = []
        """With which connections were closed by the server."""
        put, close = ConnectionActor._put, ConnectionActor._close

        def measured(actor: ConnectionActor, chunk: bytes) -> None:
            put(actor, chunk)
            self.most = max(self.most, actor._send_buffer.size + actor._transport.buffered())

        def noted(actor: ConnectionActor, code: int, reason: str) -> None:
            if actor.is_open:
                self.codes.append(code)
            close(actor, code, reason)

        slow = ConnectionActor._close_slow

        def noted_slow(actor: ConnectionActor) -> None:
            if actor.is_open:
                self.codes.append(protocol.SLOW[0])
            slow(actor)

        monkeypatch.setattr(ConnectionActor, "_put", measured)
        monkeypatch.setattr(ConnectionActor, "_close_slow", noted_slow)
        monkeypatch.setattr(ConnectionActor, "_close", noted)
