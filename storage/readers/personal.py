"""The personal port: each question on a reader's connection, in one read transaction."""

from collections.abc import Sequence

from actors.auth.identity import Identity
from actors.page import Page
from actors.resources.members import Member
from actors.resources.notifications import Notification, Preferences, ThreadPreferences, Unread
from actors.resources.user_events import UserLogPage
from actors.users.unread import Counts
from storage.readers.pool import Readers
from storage.resources.activity import reading as activity
from storage.resources.members import markers
from storage.resources.notifications import reading as notifications
from storage.resources.preferences import reading as preferences
from storage.resources.threads import reading as threads
from storage.resources.user_log import reading as user_log


class SqlitePersonal:
    """Implements `actors.personal.Personal`."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers

    async def log(
        self, user_key: int, offset: int, *, limit: int, up_to: int | None = None, reverse: bool = False
    ) -> UserLogPage:
        return await self._readers.run_for(
            user_key, user_log.after, user_key, offset, limit=limit, up_to=up_to, reverse=reverse
        )

    async def heads(self, user_keys: Sequence[int]) -> dict[int, int]:
        return await self._readers.run(user_log.heads, user_keys)

    async def last_active(self, user_key: int) -> int | None:
        return await self._readers.run_for(user_key, activity.last, user_key)

    async def members(self, thread_ids: Sequence[str]) -> dict[str, list[int]]:
        return await self._readers.run(threads.member_keys, thread_ids)

    async def counts(self, user_key: int) -> Counts:
        return await self._readers.run_for(user_key, notifications.counts, user_key)

    async def notifications(
        self, identity: Identity, *, limit: int, before: int | None, unread: bool
    ) -> Page[Notification]:
        return await self._readers.run(notifications.page, identity, limit=limit, before=before, unread=unread)

    async def notification(self, identity: Identity, notification_id: str) -> Notification:
        return await self._readers.run(notifications.one, identity, notification_id)

    async def unread_notifications(self, identity: Identity) -> int:
        return await self._readers.run(notifications.unread_count, identity)

    async def unread(self, identity: Identity) -> Unread:
        return (await self.counts(identity.user.key)).unread()

    async def preferences(self, identity: Identity) -> Preferences:
        return await self._readers.run(preferences.of_user, identity.user.key)

    async def thread_preferences(self, identity: Identity, thread_id: str) -> ThreadPreferences:
        return await self._readers.run(preferences.of_thread, identity, thread_id)

    async def readers(
        self, identity: Identity, thread_id: str, message_id: str | None, *, limit: int, after: int | None
    ) -> Page[Member]:
        return await self._readers.run(markers.readers, identity, thread_id, message_id, limit=limit, after=after)
