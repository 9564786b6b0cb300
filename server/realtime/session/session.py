"""One client of the protocol, on any transport: its identity, its commands, its subscriptions."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from actors import limits
from actors.auth.identity import Identity
from actors.delivery.connection import Close, ConnectionActor, Send
from actors.identifiers import new_id
from actors.ports import Transport
from actors.resources.users import User
from actors.runtime.loop_actor import LoopFuture, Ref, Stage, drive
from server.api.registry import Operation
from server.api.services import Services
from server.http.headers.peers import Peer
from server.limits.rate_limits import owner
from server.limits.token_bucket import TokenBucket
from server.realtime.protocol import codes as protocol
from server.realtime.protocol.codec import Codec
from server.realtime.protocol.intake import Intake
from server.realtime.session.channels import Channels
from server.realtime.session.error_replies import ErrorReplies
from server.realtime.session.heartbeat import Heartbeat
from server.realtime.session.rpc import RpcCalls
from server.realtime.session.sign_on import SignOn
from server.realtime.session.sources import leave, renew, send_state

if TYPE_CHECKING:
    from server.http.connections.connection import Connection

logger = logging.getLogger("server.realtime")

Answer = bytes | None
"""A result in the form of the connection; None where the handler writes the reply itself, in order with
publications."""
Verb = Callable[[int, Mapping[str, Any]], Coroutine[Any, Any, Answer]]


class Session:
    def __init__(
        self,
        services: Services,
        stage: Stage,
        transport: Transport,
        peer: Peer,
        upgrade_token: str | None,
        codec: Codec,
        *,
        carried_by: str = "websocket",
        session_id: str | None = None,
        intake: Intake | None = None,
        carrier: "Connection | None" = None,
    ) -> None:
        """`upgrade_token` came with the HTTP request; a token in the connect command goes before it. `session_id` is
        the secret by which commands reach it that come by other ways than its transport. `intake` is what counts the
        frames, where the transport does that."""
        self.services = services
        self.codec = codec
        self.transport = carried_by
        self.peer = peer
        self.client_id = new_id()
        self.identity: Identity | None = None
        self.sdk = "none"
        """Which client library connected, as far as it is a known one."""
        self.carrier = carrier
        """The HTTP connection below, which learns its user."""
        self._stage = stage
        self._connection = ConnectionActor(
            transport,
            encode=codec.pushes,
            on_access_ended=self._access_ended,
            on_closed=self._closed,
            on_behind=self._behind,
            on_attendance=codec.attendance_push,
            client_id=self.client_id,
        )
        self.connection: Ref = stage.start(self._connection)
        self._channels = Channels(self)
        self._calls = RpcCalls(self)
        self._sign_on = SignOn(self, stage.loop, upgrade_token, session_id)
        self._intake = intake or Intake()
        self._is_closing = False
        self._bucket = TokenBucket(limits.COMMANDS_PER_SECOND, limits.COMMANDS_BURST) if services.rate_limits else None
        self._refused = 0
        self._unanswered = 0
        self._heartbeat = Heartbeat(stage.loop.time())
        self._errors = ErrorReplies(services, codec, self.client_id)
        self._room: asyncio.Event | None = None
        """Exists only while a caller waits for it: most never do, and it is 760 bytes."""
        self._connecting: list[dict[str, Any]] | None = None
        """What came while connect is being answered; None at all other times."""
        services.hub.join(self)

    # What comes in

    def admit(self, *, has_seat: bool) -> bool:
        """Whether there is room for it. A refusal is a disconnect of the protocol: the code tells an SDK whether to
        reconnect."""
        if self.services.hub.draining:
            self.close(*protocol.SHUTDOWN)
        elif not has_seat:
            self.close(*protocol.CONNECTION_LIMIT)
        return has_seat and not self.services.hub.draining

    def receive(self, frame: str | bytes) -> None:
        """Take one frame. What is not of the protocol closes the connection."""
        self._heartbeat.last_frame = self._stage.loop.time()
        if self.services.watches.is_on:
            self.services.watches.took(self, len(frame))
        try:
            for command in self.codec.commands(frame):
                if self._is_closing or not self._connection.is_open or not self._may_come(command):
                    return
                if command:
                    self._hold_or_take(command)
        except protocol.BadFrame as error:
            self.close(protocol.BAD_REQUEST[0], f"bad request: {error}")

    def _may_come(self, command: dict[str, Any]) -> bool:
        """What is held until connect is answered has a limit of its own."""
        if self._intake.take(1) or (command and self._connecting is not None):
            return True
        self.refuse_more()
        return False

    def admit_frame(self, frame: str | bytes) -> bool:
        """Of a transport that does not count by itself: whether it may come. Else the connection is closed."""
        if self._intake.take(1, len(frame)):
            return True
        self.refuse_more()
        return False

    def refuse_more(self) -> None:
        """More has come than a client may send."""
        if self.identity is not None:
            self.close(*protocol.TOO_MANY_REQUESTS)
        else:
            most = f"{limits.FRAMES_BEFORE_CONNECT} frames and {limits.BYTES_BEFORE_CONNECT} bytes"
            self.close(protocol.BAD_REQUEST[0], f"bad request: at most {most} before connect is answered")

    def _hold_or_take(self, command: dict[str, Any]) -> None:
        """Clients may send what follows connect in the same frame; it waits until they are known."""
        if self._connecting is None:
            self._take(command)
        elif len(self._connecting) < limits.COMMANDS_PER_CONNECTION:
            self._connecting.append(command)
        else:
            self.close(protocol.BAD_REQUEST[0], "bad request: too many commands before connect was answered")

    def _take(self, command: dict[str, Any]) -> None:
        verb = protocol.verb_of(command)
        if self.services.watches.is_on:
            self.services.watches.heard(self, verb, command.get(verb or ""))
        if verb == "send":
            self._take_unanswered()
            return
        number = protocol.command_id(command)
        if not self._let_through():
            self._refuse(self.codec.error(number, *protocol.RATE_LIMITED, temporary=True))
            return
        body = command[verb] if verb is not None else None
        if verb is None or not isinstance(body, dict):
            self.send(self._errors.unknown(number, command, verb))
        elif verb == "connect":
            self._connecting = []
            self._start(number, verb, self._sign_on.connect(number, body))
        elif self.identity is None:
            self.close(protocol.BAD_REQUEST[0], "bad request: the first command must be connect")
        elif verb == "ping":
            self.send(self.codec.reply(number, verb, self.codec.nothing))
        else:
            self._start(number, verb, _VERBS[verb](self)(number, body))

    def _take_unanswered(self) -> None:
        """A `send`: the server ignores its data, but it counts as a command."""
        if self.identity is None:
            self.close(protocol.BAD_REQUEST[0], "bad request: the first command must be connect")
        elif not self._let_through():
            self._refuse(b"")

    def _let_through(self) -> bool:
        if self._bucket is None or self._bucket.take():
            self._refused = 0
            return True
        self._refused += 1
        return False

    def draw(self, kind: str) -> None:
        """From its user's bucket, beside the connection's own: a second connection is no new allowance. Raises
        `TooManyRequests`."""
        if self.services.limiter is not None and self.identity is not None:
            self.services.limiter.take(kind, owner(self.identity))

    def _refuse(self, answer: bytes) -> None:
        if self._refused > limits.REFUSALS_BEFORE_CLOSE:
            self.close(*protocol.TOO_MANY_REQUESTS)
        elif answer:
            self.send(answer)

    def _start(self, number: int, verb: str, work: Coroutine[Any, Any, Answer]) -> None:
        self._unanswered += 1
        drive(work, lambda outcome: self._answer(number, verb, outcome))

    @property
    def has_room(self) -> bool:
        """Whether more commands may come: not while too many are unanswered."""
        return self._unanswered < limits.COMMANDS_PER_CONNECTION

    async def room(self) -> None:
        """Wait until there is room; until then the socket is not read."""
        while not self.has_room:
            self._room = self._room or asyncio.Event()
            await self._room.wait()

    def refuse_frame(self, frame: str | bytes, size: int) -> None:
        """A frame over the limit: answer its first command with an error, if it can be parsed, then close."""
        with contextlib.suppress(protocol.BadFrame, StopIteration):
            number = protocol.command_id(next(self.codec.commands(frame)))
            detail = f"limit exceeded: a frame has at most {limits.FRAME_BYTES} bytes, {size} came"
            self.send(self.codec.error(number, protocol.LIMIT_EXCEEDED[0], detail))
        self.close(*protocol.BAD_REQUEST)

    def _answer(self, number: int, verb: str, outcome: LoopFuture[Answer]) -> None:
        self._unanswered -= 1
        if self._room is not None:
            self._room.set()
            self._room = None
        if outcome.error is not None:
            self.send(self._errors.of(number, verb, outcome.error))
        elif (result := outcome.result()) is not None:
            self.send(self.codec.reply(number, verb, result))
        if verb == "connect":
            self._take_held()

    def _take_held(self) -> None:
        held, self._connecting = self._connecting or [], None
        try:
            for command in held:
                if not self._is_closing:
                    self._take(command)
        except protocol.BadFrame as error:
            self.close(protocol.BAD_REQUEST[0], f"bad request: {error}")

    # What it is to others

    @property
    def channels(self) -> Sequence[str]:
        return self._connection.channels

    def welcome(self) -> None:
        """Connect was answered well."""
        if self.services.watches.is_on:
            self.services.watches.came(self)
        self._intake.welcome(limited=self.services.rate_limits)

    def renew(self, user: User) -> None:
        if self.identity is not None:
            self.identity = self.identity.of_user(user)
            for channel in self.channels:
                renew(self.services, channel, self.connection, user)

    def seconds_until(self, moment: int) -> float:
        """Until a moment in seconds since 1970, as far as a timer reaches."""
        return max(0.0, min(moment - self.services.clock(), limits.TIMER_SECONDS))

    def time_to_live(self, moment: int) -> int:
        """The `ttl` for a client, which sends a new token when it is over. It is shorter than the expiry by the leeway,
        or the connection would be closed each time before the new token arrives."""
        return max(1, int(self.seconds_until(moment)) - limits.TOKEN_LEEWAY_SECONDS)

    def is_subscribed(self, channel: str) -> bool:
        return self._channels.is_joined(channel)

    async def run(self, operation: Operation, data: object) -> bytes:
        """An operation in this client's name; answers its `data` as JSON."""
        return await self._calls.run(operation, data)

    # What goes out

    def send(self, wire: bytes) -> None:
        self.tell(Send(wire))

    def tell(self, message: object) -> None:
        """Dropped after the socket has closed."""
        if not self._connection.actor_stopped.flag:
            self.connection.tell(message)

    def ping(self) -> float | None:
        """Ping, or look whether the last one was answered."""
        if not self._connection.is_open:
            return None
        if self._heartbeat.is_lost:
            self.close(*protocol.NO_PONG)
            return None
        if self._heartbeat.is_waiting:
            return self._heartbeat.answered(self.services.hub.ping_seconds)
        self._sign_on.look()
        if self.identity is not None:
            self.send(self.codec.ping)
            return self._heartbeat.pinged(self._stage.loop.time())
        return self.services.hub.ping_seconds

    def close(self, code: int, reason: str) -> None:
        if not self._is_closing:
            self._is_closing = True
            self._intake.end()
            self.tell(Close(code, reason))

    # The end

    def _access_ended(self, channel: str) -> bytes:
        self._channels.forget(channel)
        return self.codec.unsubscribe_push(channel, protocol.UNSUBSCRIBED_BY_SERVER, "access ended")

    def _closed(self, channels: Sequence[str]) -> None:
        for channel in channels:
            leave(self.services, channel, self.connection, self.identity)

    def _behind(self, channel: str) -> None:
        send_state(self.services, channel, self.connection, self.identity)

    def end(self) -> None:
        """The socket is gone."""
        if self.services.watches.is_on:
            self.services.watches.left(self)
        self.services.hub.leave(self)
        if self.identity is not None:
            self.services.hub.users.free(self.identity.user.key)
            self.services.users.leave(self.identity.user.key, self.connection)
            self.services.activity.went(self.identity.user.key, self)
        self._is_closing = True
        self._sign_on.end()
        self._channels.end()
        self._connection.stop()
        # Commands in flight have what they need of these; held from here, each would be a cycle.
        del self._sign_on, self._channels, self._calls


_VERBS: Mapping[str, Callable[[Session], Verb]] = {
    "subscribe": lambda session: session._channels.subscribe,
    "unsubscribe": lambda session: session._channels.unsubscribe,
    "history": lambda session: session._channels.history,
    "presence": lambda session: session._channels.presence,
    "presence_stats": lambda session: session._channels.presence_stats,
    "publish": lambda session: session._channels.publish,
    "sub_refresh": lambda session: session._channels.refresh,
    "rpc": lambda session: session._calls.rpc,
    "refresh": lambda session: session._sign_on.refresh,
}
