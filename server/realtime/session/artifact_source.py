"""The channel `artifact:<id>`: the events of its thread's log that are about one artifact, to the log's beginning."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from actors import limits
from actors.auth.identity import Identity
from actors.delivery.channel import ListPresent, Subscribe, Subscribed
from actors.delivery.publication import Publication
from actors.resources.artifacts.channel import ReadArtifactLog
from actors.resources.artifacts.queries import GetArtifact
from actors.runtime.reference import Ref
from server.api.events import publications
from server.realtime.protocol import codes as protocol
from server.realtime.protocol.codes import Refused
from server.realtime.session.source import HistoryPage, Since, present, subscribe

if TYPE_CHECKING:
    from server.api.services import Services


class ArtifactSource:
    """Its offsets are those of the thread's log, so they have gaps. The thread's actor decides who may see it."""

    __slots__ = ("_artifact_id", "_identity", "_services")
    expires_at: int | None = None

    def __init__(self, services: "Services", identity: Identity, artifact_id: str) -> None:
        self._services = services
        self._identity = identity
        self._artifact_id = artifact_id

    @property
    def _epoch(self) -> str:
        return self._services.epoch_of(f"artifact:{self._artifact_id}")

    async def actor(self) -> Ref:
        """The thread's. Raises `NotFound`."""
        artifact = await self._services.ask(GetArtifact(self._identity, self._artifact_id, with_content=False))
        return self._services.directory.thread_of_artifact(artifact.id, artifact.thread_id)

    async def subscribe(self, ask: Subscribe) -> Subscribed:
        subscribed = await subscribe(await self.actor(), replace(ask, artifact_id=self._artifact_id))
        await self.actor()  # an artifact that was deleted before the thread's actor knew of the subscriber
        return subscribed

    async def present(self) -> list[tuple[str, Identity]]:
        return await present(await self.actor(), ListPresent(self._identity, self._artifact_id))

    async def missed(self, since: Since, subscribed: Subscribed) -> list[Publication] | None:
        head = subscribed.offset
        if not since.is_of(self._epoch) or since.offset > head:
            return None
        ask = ReadArtifactLog(self._identity, self._artifact_id, since.offset, limit=limits.RECOVERY_EVENTS, up_to=head)
        page = await self._services.ask(ask)
        found = publications(page.events)
        return None if page.more or sum(len(item.data) for item in found) > limits.RECOVERY_BYTES else found

    async def history(self, since: Since | None, limit: int, *, reverse: bool) -> HistoryPage:
        if since is not None and not since.is_of(self._epoch):
            raise Refused(protocol.UNRECOVERABLE)
        after = since.offset if since is not None else 0
        ask = ReadArtifactLog(self._identity, self._artifact_id, after, limit=limit, reverse=reverse)
        page = await self._services.ask(ask)
        return HistoryPage(publications(page.events), self._epoch, page.head)

    async def publish(self, data: Any) -> None:
        raise Refused(protocol.PERMISSION_REFUSED, "permission denied: only the server publishes here")
