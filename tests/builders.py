"""What tests of the core and of the storage are made of: people, threads and messages in a real database."""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from peewee import SqliteDatabase

from actors import limits
from actors.auth.identity import Identity
from actors.commands import Once
from actors.errors import XpError
from actors.events import Event
from actors.identifiers import new_id
from actors.outcomes import Done
from actors.resources.members import Member, MemberRole
from actors.resources.messages import Message, PostMessage
from actors.resources.threads import CreateThread, Thread
from actors.resources.users import Author, EnsureUser, User, UserKind, UserRole
from actors.threads.state import ThreadState
from storage.database import DatabaseOptions, open_reader
from storage.journal.store import JournalStore
from storage.resources.threads import reading as threads
from storage.resources.users import reading as users
from storage.schema import migrating as schema
from storage.search import index
from tests.prepared import prepare

FAR_FUTURE = 2**40

MIGRATIONS = sorted(file.stem for file in schema.DIRECTORY.glob("[0-9]*.py"))
"""Their names, in order."""

T = TypeVar("T")
_serial = itertools.count(1)


def options(path: Path, **changed: Any) -> DatabaseOptions:
    """Quick ones: no fsync, no memory map, and no long wait for a lock."""
    chosen: dict[str, Any] = {"synchronous": "OFF", "busy_timeout_ms": 2_000, "mmap_mib": 0, **changed}
    return DatabaseOptions(path, **chosen)


def user(key: int, *, role: UserRole = "USER", kind: UserKind = "HUMAN", name: str | None = None) -> User:
    """A user that is in no database."""
    name = name or f"User {key}"
    return User(key, f"c{key:024}", f"sub-{key}", f"{key}@example.com", name, None, role, kind, "example.com", "ACTIVE",
                "{}", 1, 0, 0)  # fmt: skip


def identity_of(record: User, expires_at: int = FAR_FUTURE) -> Identity:
    return Identity(record, record.author, expires_at)


def identity(key: int = 1, *, role: UserRole = "USER", kind: UserKind = "HUMAN") -> Identity:
    return identity_of(user(key, role=role, kind=kind))


def once(key: str = "key-1", fingerprint: str = "request-1") -> Once:
    return Once(key, fingerprint)


def message_event(offset: int, *, position: int | None = None, thread_id: str = "t", thread_key: int = 1) -> Event:
    """An event as the log has it, without a database."""
    author = Author(1, "u", "U", "HUMAN")
    place = position if position is not None else offset
    message = Message(place, f"m{offset}", thread_id, author, "USER", f"text {offset}", None, None, "{}", "COMPLETE",
                      (), offset, offset, 1, 0)  # fmt: skip
    return Event(thread_key, thread_id, place, offset, "message.created", 0, author, message)


class Ledger:
    """A real store in a real file, used from the OS thread of the test; commands in short."""

    def __init__(self, path: Path, *, from_scratch: bool = False, **changed: Any) -> None:
        """A database that is not there is a copy of a new one, unless it is to be made `from_scratch`."""
        self.options = options(path, **changed)
        self.path = path
        if not from_scratch:
            prepare(path)
        self.store = JournalStore(self.options)
        self.store.open()
        self._reader: SqliteDatabase | None = None

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None
        self.store.close()

    def reopen(self) -> None:
        self.close()
        self.store = JournalStore(self.options)
        self.store.open()

    # Asking

    @property
    def reader(self) -> SqliteDatabase:
        if self._reader is None:
            self._reader = open_reader(self.options)
        return self._reader

    def ask(self, question: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """A query of `storage` on a read-only connection."""
        with self.reader.atomic("DEFERRED"):
            return question(self.reader, *args, **kwargs)

    def sql(self, text: str, *parameters: Any) -> list[tuple[Any, ...]]:
        return self.store.database.execute_sql(text, parameters).fetchall()

    def one(self, text: str, *parameters: Any) -> Any:
        rows = self.sql(text, *parameters)
        return rows[0][0] if rows else None

    def state(self, thread: Thread | str) -> ThreadState | None:
        return self.ask(threads.state, thread if isinstance(thread, str) else thread.id)

    def dump(self) -> dict[str, list[tuple[Any, ...]]]:
        """Everything in the database, to see that nothing has changed."""
        real = "type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL %'"
        tables = [row[0] for row in self.sql(f"SELECT name FROM sqlite_master WHERE {real} ORDER BY name")]
        return {table: self.sql(f'SELECT * FROM "{table}" ORDER BY 1, 2') for table in tables}

    # Telling

    def index(self) -> None:
        """Let the search index catch up with all there is."""
        head = self.one("SELECT position FROM log_head")
        while index.progress(self.store.database) < head:
            with self.store.database.atomic("IMMEDIATE"):
                index.step(self.store.database, head, limits.INDEX_STEP)

    def apply(self, *batch: Any) -> Sequence[Done | XpError]:
        return self.store.apply(batch)

    def do(self, command: Any) -> Done:
        """One command; raises what refused it."""
        (outcome,) = self.store.apply([command])
        if isinstance(outcome, XpError):
            raise outcome
        return outcome

    def user(self, name: str = "", *, role: UserRole | None = None, kind: UserKind = "HUMAN") -> Identity:
        """Someone who signs in for the first time."""
        name = name or f"user{next(_serial)}"
        ensure = EnsureUser(
            subject=f"sub-{name}", email=f"{name}@example.com", name=name, domain="example.com", role=role, kind=kind
        )
        found = self.do(ensure).result
        assert isinstance(found, User)
        return identity_of(found)

    def admin(self, name: str = "") -> Identity:
        return self.user(name, role="ADMIN")

    def refreshed(self, who: Identity) -> Identity:
        """The same user, read again."""
        return identity_of(self.ask(users.one, who.user.id))

    def thread(self, owner: Identity, *members: Identity | tuple[Identity, MemberRole], title: str = "T") -> Thread:
        pairs = tuple(m if isinstance(m, tuple) else (m, "MEMBER") for m in members)
        made = self.do(
            CreateThread(identity=owner, title=title, members=tuple((who.user.id, r) for who, r in pairs))
        ).result
        assert isinstance(made, Thread)
        return made

    def post(self, who: Identity, thread: Thread, content: str = "hello", **more: Any) -> Message:
        posted = self.do(post(who, thread, content, **more)).result
        assert isinstance(posted, Message)
        return posted

    def member(self, who: Identity, thread: Thread) -> Member:
        return self.ask(threads.member, who, thread.id, who.user.id)


def post(who: Identity, thread: Thread | str, content: str = "hello", **more: Any) -> PostMessage:
    more.setdefault("message_id", new_id())
    thread_id = thread if isinstance(thread, str) else thread.id
    return PostMessage(identity=who, thread_id=thread_id, content=content, **more)


async def until(condition: Callable[[], Any], what: str = "the condition", seconds: float = 30.0) -> None:
    """Let the event loop run until `condition()` holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true in {seconds} s")
        await asyncio.sleep(0.0005)


async def until_asked(condition: Callable[[], Awaitable[T]], seconds: float = 30.0) -> T:
    """What it answers, once that is true: for what is asked by HTTP, or of the database."""
    async with asyncio.timeout(seconds):
        while not (found := await condition()):  # noqa: ASYNC110 - asked elsewhere
            await asyncio.sleep(0.02)
    return found


async def settle(rounds: int = 10) -> None:
    """Let everything that is scheduled on the event loop have its turn, several times over."""
    for _ in range(rounds):
        await asyncio.sleep(0)
