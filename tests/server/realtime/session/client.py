"""One session over a wire that a test reads, with as much of a server behind it as its own commands need."""

import asyncio
import json
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from actors.auth.identity import Identity
from actors.delivery.live_channels import LiveChannels
from actors.errors import TokenExpired, Unauthenticated
from actors.runtime.loop_actor import Stage
from server.auth.tokens import ChannelClaims
from server.http.headers.peers import Peer
from server.realtime.hub import Hub
from server.realtime.protocol import json_codec
from server.realtime.session.session import Session
from tests.actors.house import Wire
from tests.builders import identity, settle

NOW = 1_000_000
ANA = identity(1)
PING_SECONDS = 25.0


class Notes:
    """Takes any call, and notes it."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *given, **named: self.calls.append((name, *given, *named.values()))

    def named(self, name: str) -> list[tuple[Any, ...]]:
        """What it was given by calls of that name."""
        return [given for called, *rest in self.calls if called == name for given in [tuple(rest)]]


class Users(Notes):
    """The users' own logs: all of them stand at 7."""

    def join(self, user: Any, connection: Any) -> int:
        self.calls.append(("join", user.id))
        return 7


class Behind:
    """A server, as far as a session reaches into it."""

    def __init__(self, stage: Stage) -> None:
        self.tokens: dict[str, Identity] = {"ana": ANA}
        self.failures: dict[str, Exception] = {}
        """By token, what its check raises."""
        self.channel_tokens: dict[str, ChannelClaims] = {}
        self.now = float(NOW)
        self.hub = Hub(ping_seconds=PING_SECONDS, per_user=2)
        self.live_channels = LiveChannels(stage)
        self.live_patterns = ("open.*",)
        self.users = Users()
        self.activity, self.seen_tokens, self.watches = Notes(), SimpleNamespace(is_due=lambda who: False), Notes()
        self.watches.is_on = False
        self.measures, self.request_log, self.directory = Notes(), Notes(), Notes()
        self.rate_limits = False
        self.limiter: Any = None
        self.tracer = None
        self.version, self.node_id, self.problem_base = "1.2", "node-1", "https://problems"

    def clock(self) -> float:
        return self.now

    def epoch_of(self, channel: str) -> str:
        return f"epoch of {channel}"

    async def identify(self, token: str, address: str) -> Identity:
        await asyncio.sleep(0)  # what comes with connect comes before its answer
        if token in self.failures:
            raise self.failures[token]
        if token not in self.tokens:
            raise Unauthenticated("Unknown.")
        return self.tokens[token]

    def verify_channel(self, token: str, now: float) -> ChannelClaims:
        if token == "expired":
            raise TokenExpired("The token has expired.")
        if token not in self.channel_tokens:
            raise Unauthenticated("Invalid token signature.")
        return self.channel_tokens[token]


class Line(Wire):
    """Each chunk is a message of its own, as in a frame."""

    def __init__(self) -> None:
        super().__init__()
        self.chunks: list[bytes] = []

    def write(self, chunks: Sequence[bytes]) -> None:
        super().write(chunks)
        self.chunks += chunks


class Client:
    """What a client sends, and what comes back."""

    def __init__(self, stage: Stage, behind: Behind | None = None, *, token: str | None = None, **more: Any) -> None:
        self.behind = behind or Behind(stage)
        self.wire = Line()
        services: Any = self.behind
        peer = Peer(address="192.0.2.1")
        self.session = Session(services, stage, self.wire, peer, token, json_codec, **more)  # type: ignore[arg-type]

    def send(self, *commands: dict[str, Any]) -> None:
        """In one frame."""
        self.session.receive("\n".join(map(json.dumps, commands)))

    async def ask(self, *commands: dict[str, Any]) -> list[Any]:
        """What comes back, until nothing more does."""
        before = len(self.wire.chunks)
        self.send(*commands)
        await settle(30)
        return [json.loads(line) for chunk in self.wire.chunks[before:] for line in chunk.splitlines()]

    async def connect(self, token: str = "ana") -> "Client":
        (answer,) = await self.ask({"id": 1, "connect": {"token": token}})
        assert "connect" in answer, answer
        return self

    async def code(self, command: dict[str, Any]) -> int:
        """Of the error that it is answered with."""
        (answer,) = await self.ask({"id": 9, **command})
        return int(answer["error"]["code"])
