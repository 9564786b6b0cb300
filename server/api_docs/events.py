"""Events on the wire, for the documents: what every transport delivers."""

from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import Field, create_model

from actors.event_kinds import EPHEMERAL_KINDS, KINDS
from actors.events import EphemeralKind
from server.api.events import views
from server.api.fields import Id, View
from server.resources.threads.views import EventView
from server.resources.users.views import ActorView


def camel(type_: str) -> str:
    return "".join(map(str.capitalize, type_.replace("_", ".").split(".")))


def _event(type_: str) -> type[View]:
    fields: dict[str, Any] = {"type": Literal[type_], "actor": ActorView, "data": views()[KINDS[type_]].view}
    return create_model(f"{camel(type_)}Event", __base__=EventView, **fields)


EVENTS: Final[Mapping[str, type[View]]] = {type_: _event(type_) for type_ in KINDS}


class EphemeralView(View):
    """An ephemeral event: not in the log, and without an offset."""

    type: str
    thread_id: Id
    data: dict[str, Any]


def _ephemeral(kind: EphemeralKind) -> type[View]:
    fields: dict[str, Any] = {"type": Literal[kind.name], "data": views()[kind].view}
    return create_model(f"{camel(kind.name)}Event", __base__=EphemeralView, **fields)


EPHEMERAL: Final[Mapping[str, type[View]]] = {kind.name: _ephemeral(kind) for kind in EPHEMERAL_KINDS}


class ReadyView(View):
    """Nothing was missed: the stream continues after this cursor, which is also the `id:` of this event."""

    cursor: str


class ResyncView(View):
    """The stream cannot continue from the cursor, or access has ended: fetch the state again."""

    reason: str
    reload: str = Field(description="URL of the state.")
    thread_id: Id | None = Field(default=None, description="The thread to which access has ended.")
    artifact_id: Id | None = Field(default=None, description="The same, of a stream of an artifact.")
