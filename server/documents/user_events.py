"""Events of one's own channel, for the documents."""

from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import create_model

from actors.resources.user_events import KINDS
from server.api.events import USER_VIEWS
from server.api.fields import View
from server.resources.notifications.events import UnreadNowView
from server.resources.notifications.views import UserEventView


def _event(type_: str) -> type[View]:
    name = "".join(map(str.capitalize, type_.replace("_", ".").split(".")))
    fields: dict[str, Any] = {"type": Literal[type_], "data": USER_VIEWS[KINDS[type_]].view}
    return create_model(f"Own{name}Event", __base__=UserEventView, **fields)


USER_EVENTS: Final[Mapping[str, type[View]]] = {type_: _event(type_) for type_ in KINDS}


class UnreadEvent(View):
    """An ephemeral event; `GET /unread` returns the same at any time."""

    type: Literal["unread"]
    data: UnreadNowView
