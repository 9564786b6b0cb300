"""The core as the server puts it together, over a real store; and what listens to it in place of sockets."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pykka

from actors import commands
from actors.auth.identity import Identity
from actors.delivery.channel import Attendance, Subscribe, Subscribed
from actors.delivery.connection import ConnectionActor, OpenGate, ShutGate
from actors.delivery.ephemeral import Ephemeral
from actors.delivery.publication import Publication, Publications
from actors.events import Event
from actors.outcomes import Done
from actors.ports import ThreadLoader
from actors.resources.members import MemberRole
from actors.resources.messages import Message
from actors.resources.threads import CreateThread, Thread
from actors.resources.users import EnsureUser, User, UserKind, UserRole
from actors.runtime.loop_actor import LoopFuture, Stage
from actors.threads.actor import ThreadActor
from actors.threads.directory import Directory
from actors.threads.state import LoadThread, ThreadState
from storage.journal.store import JournalStore
from storage.readers.reads import SqliteReads
from tests.builders import identity_of, options, post, until
from tests.prepared import prepare

SLOW = (3008, "slow")


class Wire:
    """A transport that notes what it is given, and takes it as slowly as it is told to."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.waiting = 0
        """Bytes that the peer has not taken yet."""
        self.slow = False
        self.closed: tuple[int, str] | None = None
        self.misuse: list[str] = []
        """What no transport may be asked. Noted, not raised: an actor would contain it."""
        self._drained: list[Callable[[], None]] = []

    def write(self, chunks: Sequence[bytes]) -> None:
        if self.closed is not None or not chunks:
            self.misuse.append("written after it was closed, or nothing to write")
        self.writes.append(b"".join(chunks))
        if self.slow:
            self.waiting += len(self.writes[-1])

    def buffered(self) -> int:
        return self.waiting

    def when_drained(self, callback: Callable[[], None]) -> None:
        self._drained.append(callback)

    def close(self, code: int, reason: str) -> None:
        if self.closed is not None:
            self.misuse.append("closed twice")
        self.closed = self.closed or (code, reason)

    def close_slow(self) -> None:
        self.close(*SLOW)

    def drain(self) -> None:
        """The peer takes everything."""
        self.waiting = 0
        callbacks, self._drained = self._drained, []
        for callback in callbacks:
            callback()

    @property
    def awaits_drain(self) -> bool:
        return bool(self._drained)

    @property
    def lines(self) -> list[str]:
        return b"".join(self.writes).decode().splitlines()


def encode(event: Event | Ephemeral) -> bytes:
    return (event.kind.name if isinstance(event, Ephemeral) else f"{event.type} {event.offset}").encode()


def lines_of(channel: str, items: Sequence[Publication]) -> bytes:
    return b"".join(b"%d %b\n" % (item.offset, item.type.encode()) for item in items)


def access_ended(channel: str) -> bytes:
    return b"ended %b\n" % channel.encode()


class Peer:
    """A connection actor on a wire."""

    def __init__(
        self,
        stage: Stage,
        on_closed: Callable[[Sequence[str]], None] = lambda channels: None,
        on_behind: Callable[[str], None] = lambda channel: None,
        on_attendance: Callable[[Attendance], bytes] | None = None,
    ) -> None:
        self.wire = Wire()
        self.actor = ConnectionActor(
            self.wire,
            encode=lines_of,
            on_access_ended=access_ended,
            on_closed=on_closed,
            on_behind=on_behind,
            on_attendance=on_attendance,
        )
        self.ref: pykka.ActorRef[Any] = stage.start(self.actor)

    def tell(self, *messages: Any) -> None:
        for message in messages:
            self.ref.tell(message)

    @property
    def lines(self) -> list[str]:
        return self.wire.lines

    @property
    def offsets(self) -> list[int]:
        return [int(line.split()[0]) for line in self.lines if line[0].isdigit()]


class Noted:
    """A watcher that notes what it hears."""

    def __init__(self) -> None:
        self.heard: list[tuple[Any, ...]] = []

    def wrote(self, client_id: str, size: int) -> None:
        self.heard.append(("wrote", client_id, size))

    def delivered(self, client_id: str, publications: Publications) -> None:
        self.heard.append(("delivered", client_id, [item.offset for item in publications.items]))

    def published(self, thread_id: str, events: Sequence[Event]) -> None:
        self.heard.append(("published", thread_id, [event.offset for event in events]))

    def closed(self, client_id: str, code: int, reason: str) -> None:
        self.heard.append(("closed", client_id, code, reason))


class House:
    def __init__(self, stage: Stage, path: Path, *, follow: bool = False, **changed: Any) -> None:
        self.stage = stage
        self.path = path
        self.options = options(path, **changed)
        prepare(path)
        self.store = JournalStore(self.options)
        self.reads = SqliteReads(self.options)
        self.load: ThreadLoader = self.load_now
        """May be replaced by a test; looked up at each load."""
        self.loads = 0
        self.directory = Directory(
            stage, self.store, load=self._load, encode=encode, reads=self.reads if follow else None
        )
        self.journal = self.directory.journal

    async def load_now(self, thread_id: str) -> ThreadState | None:
        return await self.reads.ask(LoadThread(thread_id))

    async def _load(self, thread_id: str) -> Any:
        self.loads += 1
        return await self.load(thread_id)

    async def open(self) -> None:
        await self.directory.open()

    async def close(self) -> None:
        self.directory.stop()
        self.reads.close()
        await self.journal.close()
        self.stage.stop_all()

    # People, threads, messages

    async def do(self, command: Any) -> Done:
        if isinstance(command, commands.ThreadCommand):
            done: Done = await self.directory.ask(command)
        else:
            done = await self.journal.append(command)
        return done

    async def user(self, name: str, role: UserRole | None = None, kind: UserKind = "HUMAN") -> Identity:
        ensure = EnsureUser(
            subject=f"sub-{name}", email=f"{name}@example.com", name=name, domain="example.com", role=role, kind=kind
        )
        found = (await self.do(ensure)).result
        assert isinstance(found, User)
        return identity_of(found)

    async def thread(self, owner: Identity, *members: Identity | tuple[Identity, MemberRole]) -> Thread:
        pairs = tuple(m if isinstance(m, tuple) else (m, "MEMBER") for m in members)
        create = CreateThread(identity=owner, title="T", members=tuple((w.user.id, r) for w, r in pairs))
        made = (await self.do(create)).result
        assert isinstance(made, Thread)
        return made

    async def post(self, who: Identity, thread: Thread, content: str = "hello", **more: Any) -> Message:
        message = (await self.do(post(who, thread, content, **more))).result
        assert isinstance(message, Message)
        return message

    # Live threads

    def actor(self, thread: Thread | str) -> ThreadActor:
        """The live actor of a thread."""
        found = self.directory._threads[thread if isinstance(thread, str) else thread.id]
        assert isinstance(found, ThreadActor)
        return found

    async def load_actor(self, thread: Thread) -> ThreadActor:
        """A live actor that has its state."""
        self.directory.thread(thread.id)
        actor = self.actor(thread)
        await until(lambda: actor._state is not None, "the thread's state")
        return actor

    def peer(self) -> Peer:
        return Peer(self.stage)

    async def subscribe(self, who: Identity, thread: Thread, peer: Peer, **more: Any) -> Subscribed:
        asked: LoopFuture[Any] = self.directory.thread(thread.id).ask(Subscribe(who, peer.ref, **more))
        answer: Subscribed = await asked
        return answer

    async def watch(self, who: Identity, thread: Thread) -> Peer:
        """A peer that gets everything from now on, as a subscription without recovery does it."""
        peer = self.peer()
        channel = f"thread:{thread.id}"
        peer.tell(ShutGate(channel))
        subscribed = await self.subscribe(who, thread, peer)
        peer.tell(OpenGate(channel, b"", subscribed.offset))
        return peer
