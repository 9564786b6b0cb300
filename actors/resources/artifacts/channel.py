"""The channel of an artifact: those events of its thread's log that are about it, with their offsets there. Pure."""

from dataclasses import KW_ONLY, dataclass

from actors.events import Event, EventKind, LogPage
from actors.queries import IdentityQuery
from actors.resources.artifacts.artifact import Artifact


def artifact_of(event: Event) -> str | None:
    """The artifact that an event is about, if any: the data of such events are the artifact, or name it."""
    if isinstance(event.data, Artifact):
        return event.data.id
    named: str | None = getattr(event.data, "artifact_id", None)
    return named


def is_about_artifacts(kind: EventKind) -> bool:
    """Whether events of this kind are on the channel of an artifact."""
    return kind.data is Artifact or "artifact_id" in getattr(kind.data, "__annotations__", ())


@dataclass(frozen=True, slots=True)
class ReadArtifactLog(IdentityQuery[LogPage]):
    """Events about one artifact after `offset`; before it when `reverse`, where 0 means from the newest on. The head is
    that of the thread's log. Raises `NotFound` for an artifact that is deleted or that the identity may not see."""

    artifact_id: str
    offset: int
    _: KW_ONLY
    limit: int
    up_to: int | None = None
    reverse: bool = False
