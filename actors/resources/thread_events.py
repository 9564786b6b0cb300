"""What happens in a thread: all kinds of entries of its log, as its resources declare them."""

from typing import Final

from actors.events import EventKinds
from actors.resources import members, memory, messages, reactions, threads

KINDS: Final = EventKinds(*map(vars, (threads, members, messages, reactions, memory)))
