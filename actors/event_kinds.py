"""All kinds of events, found where they are declared: beside the resources that they are about."""

from typing import Final

import actors.resources
from actors.events import EphemeralKind, EventKind, EventKinds
from actors.modules import declared_in

_LOGGED: Final = declared_in(actors.resources, EventKind)
_EPHEMERAL: Final = declared_in(actors.resources, EphemeralKind)

KINDS: Final = EventKinds(kind for kind in _LOGGED if kind.channel == "thread")
"""Of the log of a thread."""
USER_KINDS: Final = EventKinds(kind for kind in _LOGGED if kind.channel == "user")
"""Of a user's own log."""
EPHEMERAL_KINDS: Final = tuple(kind for kind in _EPHEMERAL if kind.channel == "thread")
USER_EPHEMERAL_KINDS: Final = tuple(kind for kind in _EPHEMERAL if kind.channel == "user")
