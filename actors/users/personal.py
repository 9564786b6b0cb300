"""The port to what is one's own, read as `actors.ports.History` is."""

from collections.abc import Sequence
from typing import Protocol

from actors.auth.identity import Identity
from actors.page import Page
from actors.resources.members import Member
from actors.resources.notifications import Notification, Preferences, ThreadPreferences, Unread
from actors.resources.user_events import UserLogPage
from actors.users.unread import Counts


class Personal(Protocol):
    """Every method raises `StorageUnavailable` where the database cannot answer."""

    async def log(
        self, user_key: int, offset: int, *, limit: int, up_to: int | None = None, reverse: bool = False
    ) -> UserLogPage:
        """Entries of a user's own log after `offset`; before it when `reverse`, where 0 means from the newest on."""
        ...

    async def heads(self, user_keys: Sequence[int]) -> dict[int, int]:
        """User → where their log stands; without those whose log has no entry."""
        ...

    async def last_active(self, user_key: int) -> int | None:
        """When they did something last, as far as it was saved; milliseconds since 1970."""
        ...

    async def members(self, thread_ids: Sequence[str]) -> dict[str, list[int]]:
        """Thread → keys of its members."""
        ...

    async def counts(self, user_key: int) -> Counts: ...

    async def notifications(
        self, identity: Identity, *, limit: int, before: int | None, unread: bool
    ) -> Page[Notification]:
        """The newest first."""
        ...

    async def notification(self, identity: Identity, notification_id: str) -> Notification:
        """Raises `NotFound`, also for another's."""
        ...

    async def unread_notifications(self, identity: Identity) -> int: ...

    async def unread(self, identity: Identity) -> Unread: ...

    async def preferences(self, identity: Identity) -> Preferences: ...

    async def thread_preferences(self, identity: Identity, thread_id: str) -> ThreadPreferences:
        """Raises `NotFound` where the identity is no member."""
        ...

    async def readers(
        self, identity: Identity, thread_id: str, message_id: str | None, *, limit: int, after: int | None
    ) -> Page[Member]:
        """Members who have read a message (the newest where none is named) and do not hide it."""
        ...
