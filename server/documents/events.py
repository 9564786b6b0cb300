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
    count: int = Field(description="Current number of reactions with that emoji.")


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
