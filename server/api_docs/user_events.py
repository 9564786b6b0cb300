"""Events of a user's own channel, for the documents."""

from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import create_model

from actors.event_kinds import USER_EPHEMERAL_KINDS, USER_KINDS
from actors.events import EphemeralKind
from server.api.events import views
from server.api.fields import View
from server.api_docs.events import camel
from server.resources.notifications.views import UserEventView


def _event(type_: str) -> type[View]:
    fields: dict[str, Any] = {"type": Literal[type_], "data": views()[USER_KINDS[type_]].view}
    return create_model(f"Own{camel(type_)}Event", __base__=UserEventView, **fields)


def _ephemeral(kind: EphemeralKind) -> type[View]:
    fields: dict[str, Any] = {"type": Literal[kind.name], "data": views()[kind].view}
    return create_model(f"{camel(kind.name)}Event", __base__=View, __doc__="An ephemeral event.", **fields)


USER_EVENTS: Final[Mapping[str, type[View]]] = {type_: _event(type_) for type_ in USER_KINDS}
USER_EPHEMERAL: Final[Mapping[str, type[View]]] = {kind.name: _ephemeral(kind) for kind in USER_EPHEMERAL_KINDS}
