"""Events on the wire, for the documents: what every transport delivers."""

from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import Field, create_model

from actors.resources.thread_events import KINDS
from actors.resources.users import UserKind
from server.api.events import THREAD_VIEWS
from server.api.fields import Id, View
from server.resources.threads.views import EventView


class ActorView(View):
    """Who did it."""

    id: Id
    name: str
    kind: UserKind


def _camel(type_: str) -> str:
    return "".join(map(str.capitalize, type_.replace("_", ".").split(".")))


def _event(type_: str) -> type[View]:
    fields: dict[str, Any] = {"type": Literal[type_], "actor": ActorView, "data": THREAD_VIEWS[KINDS[type_]].view}
    return create_model(f"{_camel(type_)}Event", __base__=EventView, **fields)


EVENTS: Final[Mapping[str, type[View]]] = {type_: _event(type_) for type_ in KINDS}


class DeltaView(View):
    """A piece of a message that is being streamed."""

    message_id: Id
    index: int = Field(ge=0, description="Where the piece starts, in characters.")
    text: str


class TypingUsersView(View):
    users: list[ActorView] = Field(description="All users who are typing.")


class PresentUserView(ActorView):
    status: Literal["online", "idle", "offline"]


class PresenceChangeView(View):
    count: int = Field(description="Number of users present.")
    joined: list[ActorView]
    left: list[ActorView]
    users: list[PresentUserView] | None = Field(
        default=None, description="The complete list, sent to new subscribers first; replaces the previous one."
    )


class StatusChangeView(View):
    user: ActorView
    status: Literal["online", "idle"]


PASSING_DATA: Final[Mapping[str, type[View]]] = {
    "message.delta": DeltaView,
    "typing": TypingUsersView,
    "presence": PresenceChangeView,
    "user.status": StatusChangeView,
}


class PassingView(View):
    """An ephemeral event: not in the log, and without an offset."""

    type: str
    thread_id: Id
    data: dict[str, Any]


def _passing(type_: str) -> type[View]:
    fields: dict[str, Any] = {"type": Literal[type_], "data": PASSING_DATA[type_]}
    return create_model(f"{_camel(type_)}Event", __base__=PassingView, **fields)


PASSING: Final[Mapping[str, type[View]]] = {type_: _passing(type_) for type_ in PASSING_DATA}


class ReadyView(View):
    """Nothing was missed: the stream continues after this cursor, which is also the `id:` of this event."""

    cursor: str


class ResyncView(View):
    """The stream cannot continue from the cursor, or access has ended: fetch the state again."""

    reason: str
    reload: str = Field(description="URL of the state.")
    thread_id: Id | None = Field(default=None, description="The thread to which access has ended.")
