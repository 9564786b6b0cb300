"""The events of a thread: all kinds of entries of its log, as its resources declare them, and all ephemeral kinds."""

from typing import Final

import actors.resources
from actors.events import EventKinds
from actors.modules import import_all
from actors.resources import user_events
from actors.resources.presence import PRESENCE, TYPING, USER_STATUS
from actors.resources.streams import MESSAGE_DELTA

KINDS: Final = EventKinds(*(vars(module) for module in import_all(actors.resources) if module is not user_events))
EPHEMERAL_KINDS: Final = (MESSAGE_DELTA, TYPING, PRESENCE, USER_STATUS)
