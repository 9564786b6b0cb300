"""The hand-over from one server process to the next."""

from typing import Final

HANDOVER_READY_SECONDS: Final = 300.0
"""Until a new server is ready: its code takes seconds to load, an index over a large log may take minutes to build. The
old one serves meanwhile."""
HANDOVER_SERVE_SECONDS: Final = 20.0
"""From the moment that it may write until it serves: requests wait so long. It takes a tenth of a second; past this the
old one goes on."""
HANDOVER_CLOSE_SECONDS: Final = 0.5
"""For clients to take leave of their WebSockets and streams. Those whose line is dead never do, and requests wait."""
HANDOVER_REQUEST_SECONDS: Final = 2.0
"""For requests in flight to end, before their connections are closed: as at shutdown."""
HANDOVER_LOOK_SECONDS: Final = 0.005
"""Between two looks which of them have ended: a look at a thousand connections takes less than a millisecond."""
HANDOVER_DESCRIPTORS: Final = 200
"""Connections in one message to the new process: Linux passes 253 at most."""
HANDOVER_MESSAGE_BYTES: Final = 64 * 1024
"""Of one message between the two processes, and of what `xp deploy` asks for: a command line and a few words."""
HANDOVER_FAREWELL_SECONDS: Final = 1.0
"""For operators to hear how it ended, before the old process ends."""
