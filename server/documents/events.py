"""Events on the wire, for the documents: what every transport delivers, and each type's `data`.

All subscribers share an event, so it has nothing that differs from viewer to viewer: `render` leaves that out.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from pydantic import Field, create_model

from actors.events import EVENT_TYPES
from actors.resources.threads import Control
from actors.resources.users import UserKind
from server.api.fields import Id, View
from server.resources.memory.views import MemoryView
from server.resources.messages.views import MessageView, ReactionGroupView
from server.resources.threads.views import EventView, MemberView, ThreadView
from server.resources.users.views import AuthorView


def _shared(view: type[View], *, without: Sequence[str] = (), **others: Any) -> type[View]:
    """The view, but for some fields."""
    fields: dict[str, Any] = {
        name: (field.annotation, field) for name, field in view.model_fields.items() if name not in without
    }
    fields |= {name: (annotation, ...) for name, annotation in others.items()}
    return create_model(f"Shared{view.__name__}", __base__=View, **fields)


SharedReactionGroupView = _shared(ReactionGroupView, without=("reacted_by_me",))
SharedMessageView = _shared(MessageView, reactions=list[SharedReactionGroupView])  # type: ignore[valid-type]
SharedThreadView = _shared(
    ThreadView,
    without=("memory", "memory_version", "membership"),
    last_message=SharedMessageView | None,
)


class ActorView(View):
    """Who did it."""

    id: Id
    name: str
    kind: UserKind


class ThreadGoneView(View):
    id: Id


class MemberGoneView(View):
    thread_id: Id
    user: AuthorView


class ReactionChangeView(View):
    message_id: Id
    emoji: str
    user: AuthorView
    count: int = Field(description="How many of that emoji there are now.")


class ReadChangeView(View):
    user: AuthorView
    last_read_offset: int


class ControlChangeView(View):
    control: Control
    previous: Control
    reason: str


DATA: Final[Mapping[str, type[View]]] = {
    "thread.created": SharedThreadView,
    "thread.updated": SharedThreadView,
    "thread.deleted": ThreadGoneView,
    "member.added": MemberView,
    "member.updated": MemberView,
    "member.removed": MemberGoneView,
    "message.created": SharedMessageView,
    "message.updated": SharedMessageView,
    "message.deleted": SharedMessageView,
    "message.completed": SharedMessageView,
    "reaction.added": ReactionChangeView,
    "reaction.removed": ReactionChangeView,
    "read.updated": ReadChangeView,
    "control.changed": ControlChangeView,
    "memory.updated": MemoryView,
}


def _camel(type_: str) -> str:
    return "".join(map(str.capitalize, type_.replace("_", ".").split(".")))


def _event(type_: str) -> type[View]:
    fields: dict[str, Any] = {"type": Literal[type_], "actor": ActorView, "data": DATA.get(type_, dict[str, Any])}
    return create_model(f"{_camel(type_)}Event", __base__=EventView, **fields)


EVENTS: Final[Mapping[str, type[View]]] = {type_: _event(type_) for type_ in EVENT_TYPES}


class DeltaView(View):
    """What comes next in a message that is being written."""

    message_id: Id
    index: int = Field(ge=0, description="Where it starts, in characters.")
    text: str


class TypingUsersView(View):
    users: list[ActorView] = Field(description="Everybody who types now.")


class PresentUserView(ActorView):
    status: Literal["online", "idle", "offline"]


class PresenceChangeView(View):
    count: int = Field(description="How many people are there now.")
    joined: list[ActorView]
    left: list[ActorView]
    users: list[PresentUserView] | None = Field(
        default=None, description="Who joins gets this first: everybody who is there, in place of what was known."
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
    """It matters only now: it stands in no log, and so has no offset."""

    type: str
    thread_id: Id
    data: dict[str, Any]


def _passing(type_: str) -> type[View]:
    fields: dict[str, Any] = {"type": Literal[type_], "data": PASSING_DATA[type_]}
    return create_model(f"{_camel(type_)}Event", __base__=PassingView, **fields)


PASSING: Final[Mapping[str, type[View]]] = {type_: _passing(type_) for type_ in PASSING_DATA}


class ReadyView(View):
    """Nothing was missed: what follows comes after this cursor, which is the `id:` of this event, too."""

    cursor: str


class ResyncView(View):
    """A stream cannot go on from a cursor, or access has ended: fetch the state anew."""

    reason: str
    reload: str = Field(description="Where the state is.")
    thread_id: Id | None = Field(default=None, description="The thread to which access has ended.")
