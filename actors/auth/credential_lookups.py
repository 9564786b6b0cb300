"""What credentials stand for, looked up on a reader's connection: whatever a stranger sends, no writer waits for it.

As the journal gathers commits, this gathers questions: what is asked in one turn, or while a read runs, is the next
read.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from actors import limits
from actors.errors import Internal, XpError
from actors.queries import Query
from actors.resources.api_keys import UsedKey
from actors.resources.sessions import SignedIn
from actors.resources.users import EnsureUser, User

logger = logging.getLogger("actors.credentials")


@dataclass(frozen=True, slots=True)
class BySession:
    """Stands for a `SignedIn`."""

    session_id: str


@dataclass(frozen=True, slots=True)
class ByApiKey:
    """Stands for a `UsedKey`."""

    key_hash: bytes


Credential = BySession | ByApiKey | EnsureUser
"""A token's claims stand for a `User`: None where these have said something else, or nothing, so far."""
Found = SignedIn | UsedKey | User | XpError | None
"""`Unauthenticated` for a credential that is not good."""
ReadCredentials = Callable[[Sequence[Credential]], Awaitable[Sequence[Found]]]
"""Answers one `Found` each, in order; raises `StorageUnavailable`."""


class Lookup:
    """Confined to the event loop."""

    def __init__(self, read: ReadCredentials) -> None:
        self._read = read
        self._waiting: list[tuple[Credential, Callable[[Found], None]]] = []
        self._task: asyncio.Task[None] | None = None

    def ask(self, credential: Credential, then: Callable[[Found], None]) -> None:
        """`then` is called once, in any case."""
        self._waiting.append((credential, then))
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        try:
            while self._waiting:
                asked = self._waiting[: limits.CREDENTIALS_AT_ONCE]
                del self._waiting[: limits.CREDENTIALS_AT_ONCE]
                found = await self._answers([credential for credential, _ in asked])
                for (_, then), answer in zip(asked, found, strict=True):
                    _tell(then, answer)
        finally:
            self._task = None

    async def _answers(self, credentials: Sequence[Credential]) -> Sequence[Found]:
        try:
            return await self._read(credentials)
        except XpError as error:
            return [error] * len(credentials)
        except Exception:  # every caller gets a reply, whatever failed
            logger.exception("credentials could not be looked up")
            return [Internal()] * len(credentials)


def _tell(then: Callable[[Found], None], answer: Found) -> None:
    try:
        then(answer)
    except Exception:  # the next one must be answered, too
        logger.exception("an answer about a credential could not be used")


@dataclass(frozen=True, slots=True)
class FindCredentials(Query[Sequence[Found]]):
    """What credentials stand for: one answer each, in order."""

    lane = "credentials"
    asked: Sequence[Credential]
