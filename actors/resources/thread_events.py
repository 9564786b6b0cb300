"""The events of a thread: all kinds of entries of its log, as its resources declare them, and all ephemeral kinds."""

from typing import Final

from actors.events import EventKinds
from actors.resources import members, memory, messages, reactions, threads
from actors.resources.presence import PRESENCE, TYPING, USER_STATUS
from actors.resources.streams import MESSAGE_DELTA

KINDS: Final = EventKinds(*map(vars, (threads, members, messages, reactions, memory)))
EPHEMERAL_KINDS: Final = (MESSAGE_DELTA, TYPING, PRESENCE, USER_STATUS)
