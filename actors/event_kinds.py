"""All kinds of events, found where they are declared: beside the resources that they are about."""

from typing import Final

import actors.resources
from actors.events import Channel, EphemeralKind, EventKinds
from actors.modules import import_all

_NAMESPACES: Final = [vars(module) for module in import_all(actors.resources)]


def _ephemeral(channel: Channel) -> tuple[EphemeralKind, ...]:
    declared = (value for namespace in _NAMESPACES for value in namespace.values())
    found = dict.fromkeys(value for value in declared if isinstance(value, EphemeralKind))
    return tuple(kind for kind in found if kind.channel == channel)


KINDS: Final = EventKinds("thread", *_NAMESPACES)
"""Of the log of a thread."""
USER_KINDS: Final = EventKinds("user", *_NAMESPACES)
"""Of a user's own log."""
EPHEMERAL_KINDS: Final = _ephemeral("thread")
USER_EPHEMERAL_KINDS: Final = _ephemeral("user")
