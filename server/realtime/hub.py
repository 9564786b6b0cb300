"""All connected clients: pings them, and closes them in order at shutdown. Confined to the event loop."""

import asyncio
import contextlib
import random
from collections import deque
from collections.abc import Sequence
from typing import Protocol

from actors import limits
from actors.auth.identity import Identity
from actors.resources.users import User
from server.http.headers.peers import Peer
from server.limits.connection_limiter import ConnectionLimiter


class Client(Protocol):
    """One WebSocket or stream."""

    def ping(self) -> float | None:
        """Send a ping, or look whether one was answered; seconds until the next look, None once it has ended."""
        ...

    def close(self, code: int, reason: str) -> None: ...

    @property
    def client_id(self) -> str: ...

    @property
    def identity(self) -> Identity | None:
        """Whose it is; None before that is known."""
        ...

    @property
    def peer(self) -> Peer: ...

    @property
    def channels(self) -> Sequence[str]:
        """What it is subscribed to."""
        ...

    @property
    def transport(self) -> str:
        """`websocket`, `http_stream` or `sse`."""
        ...

    def renew(self, user: User) -> None:
        """Its user has another name or picture now."""
        ...


class Hub:
    """One timer for all pings: ten thousand timers cost more than the pings."""

    def __init__(self, *, ping_seconds: float, per_user: int | None = None, per_address: int | None = None) -> None:
        """`per_user`, `per_address`: how many connections each may hold; None for any number."""
        self.ping_seconds = ping_seconds
        self.users = ConnectionLimiter(per_user, "MAX_CONNECTIONS_PER_USER")
        self.addresses = ConnectionLimiter(
            per_address, "MAX_CONNECTIONS_PER_ADDRESS (a proxy belongs in TRUSTED_PROXIES)"
        )
        self._clients: dict[Client, set[Client]] = {}
        """Client → the slot of the wheel in which it waits, so that leaving removes it there too."""
        self._wheel: deque[set[Client]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._someone_left = asyncio.Event()
        self.draining = False

    @property
    def size(self) -> int:
        return len(self._clients)

    def join(self, client: Client) -> None:
        """From now on pinged; the first time at a random point of the interval, so that pings spread evenly."""
        self._look_again(client, random.uniform(0.5, 1.0) * self.ping_seconds)  # noqa: S311 - no secret hangs on it
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(limits.TICK_SECONDS, self._tick)

    def leave(self, client: Client) -> None:
        self._clients.pop(client, set()).discard(client)
        self._someone_left.set()

    @property
    def clients(self) -> Sequence[Client]:
        """Everyone, the oldest first."""
        return tuple(self._clients)

    def clients_of(self, user_id: str) -> list[Client]:
        """Those of this user."""
        return [client for client in self.clients if client.identity is not None and client.identity.user.id == user_id]

    def _look_again(self, client: Client, seconds: float) -> None:
        slot = max(1, round(seconds / limits.TICK_SECONDS))
        while len(self._wheel) <= slot:
            self._wheel.append(set())
        self._wheel[slot].add(client)
        self._clients[client] = self._wheel[slot]

    def _tick(self) -> None:
        due = self._wheel.popleft() if self._wheel else set()
        for client in list(due):
            seconds = client.ping()
            if seconds is not None:
                self._look_again(client, seconds)
        running = bool(self._clients or self._wheel)
        self._timer = asyncio.get_running_loop().call_later(limits.TICK_SECONDS, self._tick) if running else None

    async def drain(self, code: int, reason: str, *, seconds: float) -> int:
        """Tell all to come back, in batches so that they do not all come at once; answers how many did not go."""
        self.draining = True
        for number, client in enumerate(list(self._clients), 1):
            client.close(code, reason)
            if number % limits.DRAIN_BATCH == 0:
                await asyncio.sleep(limits.DRAIN_PAUSE_SECONDS)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._clients:
                    self._someone_left.clear()
                    await self._someone_left.wait()
        return len(self._clients)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
