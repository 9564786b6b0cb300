"""The subscribers of a live thread's artifacts: each gets the events about one artifact."""

from collections.abc import Callable, Sequence

from actors.auth.identity import Identity
from actors.delivery.channel import Audience, Renew, Subscribe
from actors.delivery.publication import Publication, Publications, in_frames
from actors.events import Event
from actors.ports import Encode
from actors.resources.artifacts.artifact import ARTIFACT_DELETED
from actors.resources.artifacts.channel import artifact_of
from actors.runtime.reference import Ref


class ArtifactAudiences:
    """Owned by the thread's actor, which decides who may see them."""

    __slots__ = ("_audiences", "_encode")

    def __init__(self, encode: Encode) -> None:
        self._encode = encode
        self._audiences: dict[str, Audience] = {}

    def __bool__(self) -> bool:
        return bool(self._audiences)

    def join(self, artifact_id: str, message: Subscribe) -> None:
        audience = self._audiences.get(artifact_id)
        if audience is None:
            audience = self._audiences[artifact_id] = Audience(f"artifact:{artifact_id}")
        audience.join(message)

    def leave(self, artifact_id: str, connection: Ref) -> None:
        """Without effect a second time."""
        audience = self._audiences.get(artifact_id)
        if audience is not None:
            audience.leave(connection)
            if not audience:
                del self._audiences[artifact_id]

    def renew(self, artifact_id: str, message: Renew) -> None:
        audience = self._audiences.get(artifact_id)
        if audience is not None:
            audience.renew(message)

    def present(self, artifact_id: str) -> list[tuple[str, Identity]]:
        """(client id, identity) of each connection."""
        audience = self._audiences.get(artifact_id)
        return audience.present() if audience is not None else []

    def tell_events(self, events: Sequence[Event]) -> None:
        """In order; the deletion of an artifact is the last that its subscribers get."""
        about: dict[str, list[Event]] = {}
        for event in events:
            artifact_id = artifact_of(event)
            if artifact_id in self._audiences:
                about.setdefault(artifact_id, []).append(event)
        for artifact_id, its_events in about.items():
            self._tell(self._audiences[artifact_id], its_events)
            if any(event.type == ARTIFACT_DELETED.name for event in its_events):
                self._end(artifact_id, lambda identity: False)

    def _tell(self, audience: Audience, events: Sequence[Event]) -> None:
        items = [Publication(e.offset, e.position, e.type, self._encode(e)) for e in events]
        for frame in in_frames(items):
            audience.tell(Publications(audience.channel, frame))

    def end_access(self, may_see: Callable[[Identity], bool]) -> None:
        """Unsubscribe all who may no longer see the thread."""
        for artifact_id in list(self._audiences):
            self._end(artifact_id, may_see)

    def _end(self, artifact_id: str, may_see: Callable[[Identity], bool]) -> None:
        audience = self._audiences[artifact_id]
        audience.end_access(may_see)
        if not audience:
            del self._audiences[artifact_id]
