"""The logs that an SSE stream can follow: of a thread, of many threads, of an artifact, or of the user."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from actors import limits
from actors.auth.identity import Identity
from actors.delivery.epochs import epoch_over
from actors.delivery.publication import Publication
from actors.events import LogPage
from actors.resources.artifacts.channel import ReadArtifactLog
from actors.resources.artifacts.queries import GetArtifact
from actors.resources.log import ReadLog, ReadThreadLog
from actors.resources.user_events import THREAD_JOINED, ReadUserLog
from actors.runtime.reference import Ref
from server.api.events import publications, user_publications

if TYPE_CHECKING:
    from server.api.services import Services


@dataclass(frozen=True, slots=True)
class Missed:
    """The events after a cursor, and the head of the log."""

    items: Sequence[Publication]
    head: int
    position: int
    """As the feed orders what it writes."""
    more: bool


class Followed(Protocol):
    @property
    def by_offset(self) -> bool:
        """Whether cursors are offsets, or positions in the log of all threads."""
        ...

    @property
    def channels(self) -> Sequence[str]: ...

    def actor(self, channel: str) -> Ref:
        """That answers `Subscribe`. Not to be kept: it may retire as soon as something else is awaited."""
        ...

    @property
    def artifact_id(self) -> str | None:
        """Of the one channel, where it is an artifact's."""
        ...

    def epoch(self, channels: Sequence[str]) -> str:
        """The epoch of cursors over these channels; they are valid for no other set."""
        ...

    @property
    def may_grow(self) -> bool:
        """Whether threads that the user joins meanwhile belong to it, too."""
        ...

    async def has_grown(self) -> bool:
        """Whether the user has joined one since the threads were listed."""
        ...

    async def must_see(self) -> None:
        """Raises where the identity may not."""
        ...

    async def after(self, place: int) -> Missed: ...


class FollowedThreads:
    artifact_id = None

    def __init__(
        self,
        services: "Services",
        identity: Identity,
        thread_ids: Sequence[str],
        *,
        by_offset: bool,
        listed_at: int | None = None,
    ) -> None:
        """`listed_at`: an offset in the user's own log, where these are the threads that the user was in by then."""
        self._listed_at = listed_at
        self._services = services
        self._identity = identity
        self._thread_ids = thread_ids
        self.by_offset = by_offset

    @property
    def channels(self) -> Sequence[str]:
        return [f"thread:{thread_id}" for thread_id in self._thread_ids]

    def actor(self, channel: str) -> Ref:
        return self._services.directory.thread(channel.removeprefix("thread:"))

    @property
    def may_grow(self) -> bool:
        return self._listed_at is not None

    async def has_grown(self) -> bool:
        if self._listed_at is None:
            return False
        ask = ReadUserLog(self._identity.user.key, self._listed_at, limit=limits.RECOVERY_EVENTS)
        page = await self._services.ask(ask)
        return page.more or any(event.type == THREAD_JOINED.name for event in page.events)

    def epoch(self, channels: Sequence[str]) -> str:
        if self.by_offset:
            return self._services.epoch_of(f"thread:{self._thread_ids[0]}")
        return epoch_over(self._services.epoch, channels)

    async def must_see(self) -> None:
        for thread_id in self._thread_ids:
            await self._services.ask(ReadThreadLog(self._identity, thread_id, 0, limit=1))

    async def after(self, place: int) -> Missed:
        page = await self._page(place)
        return Missed(publications(page.events), page.head, page.position, page.more)

    async def _page(self, place: int) -> LogPage:
        ask = self._services.ask
        if self.by_offset:
            return await ask(ReadThreadLog(self._identity, self._thread_ids[0], place, limit=limits.RECOVERY_EVENTS))
        return await ask(ReadLog(self._identity, self._thread_ids, place, limit=limits.RECOVERY_EVENTS))


class FollowedArtifact:
    """What the log of its thread has about one artifact."""

    by_offset = True
    may_grow = False

    def __init__(self, services: "Services", identity: Identity, artifact_id: str) -> None:
        self._services = services
        self._identity = identity
        self.artifact_id = artifact_id
        self._thread_id = ""

    @property
    def channels(self) -> Sequence[str]:
        return [f"artifact:{self.artifact_id}"]

    def actor(self, channel: str) -> Ref:
        return self._services.directory.thread_of_artifact(self.artifact_id, self._thread_id)

    async def has_grown(self) -> bool:
        return False

    def epoch(self, channels: Sequence[str]) -> str:
        return self._services.epoch_of(f"artifact:{self.artifact_id}")

    async def must_see(self) -> None:
        artifact = await self._services.ask(GetArtifact(self._identity, self.artifact_id, with_content=False))
        self._thread_id = artifact.thread_id

    async def after(self, place: int) -> Missed:
        ask = ReadArtifactLog(self._identity, self.artifact_id, place, limit=limits.RECOVERY_EVENTS)
        page = await self._services.ask(ask)
        return Missed(publications(page.events), page.head, page.position, page.more)


class FollowedUser:
    """One's own log: its offsets are its positions."""

    artifact_id = None
    by_offset = True
    may_grow = False

    def __init__(self, services: "Services", identity: Identity) -> None:
        self._services = services
        self._identity = identity

    @property
    def channels(self) -> Sequence[str]:
        return [f"user:{self._identity.user.id}"]

    def actor(self, channel: str) -> Ref:
        return self._services.users.actor(self._identity.user)

    async def has_grown(self) -> bool:
        return False

    def epoch(self, channels: Sequence[str]) -> str:
        return self._services.epoch_of(f"user:{self._identity.user.id}")

    async def must_see(self) -> None:
        """Every user may see it."""

    async def after(self, place: int) -> Missed:
        page = await self._services.ask(ReadUserLog(self._identity.user.key, place, limit=limits.RECOVERY_EVENTS))
        return Missed(user_publications(page.events), page.head, page.head, page.more or not page.is_whole)
