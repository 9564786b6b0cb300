"""Time and memory that a slow client may take."""

from typing import Final

from actors.limits.clients.requests import BODY_BYTES
from actors.limits.units import KIB, MIB

BODY_BUFFER_BYTES: Final = 64 * KIB
"""Of a body that its reader has not taken, twice that: then the socket is read no further. With aiohttp's 256 KiB each
of ten uploads took 760 KB in every round of the event loop, and messages waited for all of that."""
UNSENT_BYTES_PER_USER: Final = 16 * MIB
"""Of answers that a user has asked for and does not take: twenty of the largest pages, to clients that read slowly."""
UNSENT_BYTES: Final = 128 * MIB
"""The same of all users together."""
UNFINISHED_BYTES_PER_USER: Final = 32 * MIB
"""Of bodies that have begun and not ended, of a user or an address: sixty of the largest at once."""
UNFINISHED_BYTES: Final = 128 * MIB
"""The same of all users together."""
FIRST_BYTE_SECONDS: Final = 30.0
"""Browsers open a connection before they need it."""
HEAD_SECONDS: Final = 10.0
"""From a request's first byte to the end of its headers: they fit in a packet or two."""
BODY_SECONDS: Final = 30.0
"""For the largest JSON body: 17 KiB/s, a bad mobile connection. What is larger has to keep up that pace."""
BODY_STEP_SECONDS: Final = 10.0
"""How long a step of a body is."""
BODY_STEP_BYTES: Final = 1 * KIB
"""Required in every step, even while the total time is not used up: a client that sends single bytes is cut off."""
ANSWER_SECONDS: Final = 30.0
"""A step of an answer: a train in a tunnel comes out of it."""
ANSWER_STEP_BYTES: Final = 16 * KIB
"""What must be taken of an answer in that time, or the connection is cut."""
LINGERING_SECONDS: Final = 5.0
"""For how long the rest of a refused body is read and dropped, so that its sender gets the answer."""
LINGERING_BYTES: Final = BODY_BYTES
"""How much of it: an ordinary one whole. Of what is larger no more is read, and it is cut when that time is over."""
REQUEST_END_SECONDS: Final = 2.0
"""For requests that are served when the server stops: the streams among them were ended before."""
