"""The history port: each question on a reader's connection, in one read transaction."""

from collections import OrderedDict
from collections.abc import Sequence

from peewee import SqliteDatabase

from actors import limits
from actors.auth.identity import Identity
from actors.events import Event, LogPage
from actors.page import Page
from actors.resources.context import Context
from actors.resources.members import Member
from actors.resources.memory import Memory
from actors.resources.messages import Message, Revision
from actors.resources.reactions import Reaction
from actors.resources.search import Found, Search
from actors.resources.threads import Thread, ThreadStatus
from actors.resources.users import User, UserFilter
from actors.threads.state import ThreadState
from storage.database import DatabaseOptions
from storage.readers.accounts import SqliteAccounts
from storage.readers.personal import SqlitePersonal
from storage.readers.pool import Readers
from storage.resources.context import reading as context
from storage.resources.log import reading as log
from storage.resources.memory import reading as memory
from storage.resources.messages import reading as messages
from storage.resources.threads import reading as threads
from storage.resources.users import reading as users
from storage.search.query import find


class SqliteHistory:
    """Implements `actors.ports.History` and `LogReader`, and loads what a thread's actor needs to know."""

    def __init__(self, options: DatabaseOptions, *, budget: bool = True) -> None:
        """`budget`: whether each user has so much time of the readers, and no more."""
        self._readers = Readers(options, budget=budget)
        self._searcher = Readers(options, budget=budget)
        self._gate = Readers(options, size=1)
        self.accounts = SqliteAccounts(self._readers, self._gate)
        self.personal = SqlitePersonal(self._readers)
        self._threads: OrderedDict[str, str] = OrderedDict()
        """Message → its thread, which is the same for good: an answer that streams is asked for again and again."""

    async def user(self, user_id: str) -> User:
        return await self._readers.run(users.one, user_id)

    async def users(self, identity: Identity, wanted: UserFilter, *, limit: int, after: int | None) -> Page[User]:
        return await self._readers.run(users.page, identity, wanted, limit=limit, after=after)

    async def user_by_email(self, identity: Identity, email: str) -> User:
        return await self._readers.run_for(identity.user.key, users.by_email, email)

    async def thread_state(self, thread_id: str) -> ThreadState | None:
        return await self._readers.run(threads.state, thread_id)

    async def threads_being_written(self, limit: int) -> list[str]:
        return await self._readers.run(threads.being_written, limit)

    async def thread(self, identity: Identity, thread_id: str) -> Thread:
        return await self._readers.run(threads.one, identity, thread_id)

    async def threads(
        self, identity: Identity, *, limit: int, before: int | None, status: ThreadStatus | None, everything: bool
    ) -> Page[Thread]:
        return await self._readers.run(
            threads.page, identity, limit=limit, before=before, status=status, everything=everything
        )

    async def members(self, identity: Identity, thread_id: str, *, limit: int, after: int | None) -> Page[Member]:
        return await self._readers.run(threads.members, identity, thread_id, limit=limit, after=after)

    async def member(self, identity: Identity, thread_id: str, user_id: str) -> Member:
        return await self._readers.run(threads.member, identity, thread_id, user_id)

    async def memory(self, identity: Identity, thread_id: str) -> tuple[Memory, int]:
        return await self._readers.run(memory.one, identity, thread_id)

    async def context(self, identity: Identity, thread_id: str, max_tokens: int) -> Context:
        return await self._readers.run(context.build, identity, thread_id, max_tokens)

    async def messages(
        self,
        identity: Identity,
        thread_id: str,
        *,
        limit: int,
        before: str | None = None,
        after: str | None = None,
        around: str | None = None,
    ) -> Page[Message]:
        return await self._readers.run(
            messages.page, identity, thread_id, limit=limit, before=before, after=after, around=around
        )

    async def message(self, identity: Identity, message_id: str) -> Message:
        return await self._readers.run(messages.one, identity, message_id)

    async def thread_of(self, message_id: str) -> str:
        known = self._threads.get(message_id)
        if known is None:
            known = await self._readers.run(messages.thread_of, message_id)
            self.place(message_id, known)
        return known

    def place(self, message_id: str, thread_id: str) -> None:
        self._threads[message_id] = thread_id
        if len(self._threads) > limits.MESSAGES_PLACED:
            self._threads.popitem(last=False)

    async def revisions(self, identity: Identity, message_id: str, *, limit: int, before: int | None) -> Page[Revision]:
        return await self._readers.run(messages.revisions, identity, message_id, limit=limit, before=before)

    async def reactions(self, identity: Identity, message_id: str, *, limit: int, after: int | None) -> Page[Reaction]:
        return await self._readers.run(messages.reactions, identity, message_id, limit=limit, after=after)

    async def log_of_thread(
        self,
        identity: Identity,
        thread_id: str,
        offset: int,
        *,
        limit: int,
        up_to: int | None = None,
        reverse: bool = False,
    ) -> LogPage:
        return await self._readers.run(
            log.after_offset, identity, thread_id, offset, limit=limit, up_to=up_to, reverse=reverse
        )

    async def log_of_threads(
        self, identity: Identity, thread_ids: Sequence[str], position: int, *, limit: int
    ) -> LogPage:
        return await self._readers.run(log.after_position, identity, thread_ids, position, limit=limit)

    async def search(self, identity: Identity, search: Search, *, limit: int, cursor: str | None) -> Found:
        return await self._searcher.run(find, identity, search, limit=limit, cursor=cursor)

    async def head(self) -> tuple[str, int]:
        return await self._readers.run(_head)

    async def between(self, thread_ids: Sequence[str], after: int, up_to: int) -> Sequence[Event]:
        return await self._readers.run(log.between, thread_ids, after, up_to)

    def close(self) -> None:
        self._readers.close()
        self._searcher.close()
        self._gate.close()


def _head(database: SqliteDatabase) -> tuple[str, int]:
    return log.epoch(database), log.head_position(database)
