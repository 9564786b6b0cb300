"""The accounts port: each question on a reader's connection, in one read transaction."""

import time
from collections.abc import Sequence

from peewee import SqliteDatabase

from actors.auth.access_changes import AccessChange
from actors.auth.credentials import Credential, Found
from actors.page import Page
from actors.resources.api_keys import ApiKey
from actors.resources.audit import AuditEntry
from actors.resources.members import Membership
from actors.resources.messages import Message
from actors.resources.sessions import PasswordAccount, Session
from actors.resources.users import User
from storage.readers.pool import Readers
from storage.resources.audit import reading as audit
from storage.resources.credentials import reading as credentials
from storage.resources.sessions import reading as accounts
from storage.resources.users import export as people


class SqliteAccounts:
    """Implements `actors.ports.Accounts`."""

    def __init__(self, readers: Readers, gate: Readers) -> None:
        """`gate` looks up credentials: nobody waits at the door because others read long pages."""
        self._readers = readers
        self._gate = gate

    async def credentials(self, asked: Sequence[Credential]) -> Sequence[Found]:
        """What credentials stand for: one answer each, in order."""
        return await self._gate.run(credentials.find, asked, _now())

    async def sessions(self, *, user_id: str | None, limit: int, before: int | None) -> Page[Session]:
        return await self._readers.run_for(
            user_id or "all", accounts.sessions, _now(), user_id=user_id, limit=limit, before=before
        )

    async def api_keys(self, *, user_id: str | None, limit: int, before: int | None) -> Page[ApiKey]:
        return await self._readers.run_for(
            user_id or "all", accounts.api_keys, user_id=user_id, limit=limit, before=before
        )

    async def by_address(self, email: str) -> PasswordAccount | None:
        return await self._readers.run(accounts.by_address, email)

    async def by_link(self, link_hash: bytes) -> User | None:
        return await self._readers.run(accounts.by_link, link_hash, _now())

    async def by_refresh(self, token_hash: bytes) -> int | None:
        return await self._readers.run(accounts.by_refresh, token_hash)

    async def own_password(self, user_id: str) -> str | None:
        return await self._readers.run(accounts.own_password, user_id)

    async def newest_change(self) -> int:
        return await self._readers.run(accounts.newest_change)

    async def changes_after(self, number: int) -> Sequence[AccessChange]:
        return await self._readers.run(accounts.changes_after, number)

    async def revoked_tokens(self) -> dict[str, int]:
        return await self._readers.run(accounts.revoked_tokens, _now())

    async def audit(
        self, *, limit: int, before: int | None, actor_id: str | None, target_id: str | None, action: str | None
    ) -> Page[AuditEntry]:
        return await self._readers.run_for(
            "all", audit.page, limit=limit, before=before, actor_id=actor_id, target_id=target_id, action=action
        )

    async def memberships(self, user_id: str, *, limit: int, after: int | None) -> Page[Membership]:
        return await self._readers.run_for(user_id, people.memberships, user_id, limit=limit, after=after)

    async def membership_count(self, user_id: str) -> int:
        return await self._readers.run_for(user_id, people.membership_count, user_id)

    async def messages_by(self, user_id: str, *, limit: int, after: int | None) -> Page[Message]:
        return await self._readers.run_for(user_id, people.messages_by, user_id, limit=limit, after=after)

    async def counts(self) -> dict[str, int]:
        return await self._readers.run_for("all", _counts)


def _now() -> int:
    return time.time_ns() // 1_000_000


def _counts(database: SqliteDatabase) -> dict[str, int]:
    return people.counts(database, _now())
