"""Realtime connections: frames, commands, timers."""

from typing import Final

from actors.limits.units import KIB, MIB

COMMANDS_PER_CONNECTION: Final = 256
"""Unanswered commands of one WebSocket; beyond it the socket is not read until some are answered."""
FRAME_BYTES: Final = 64 * KIB
CHANNELS_PER_CONNECTION: Final = 128
CHANNEL_CHARS: Final = 255
OUTBOX_BYTES: Final = 1 * MIB
"""What waits for one slow reader; beyond it the connection is closed with 3008 and comes back with its cursor."""
SOCKET_BUFFER_BYTES: Final = 64 * KIB
"""What is handed to the transport before its reader has taken it; the rest waits in the outbox, counted."""
PUBLICATIONS_BYTES: Final = 256 * KIB
"""Of events that are encoded together: one frame carries them, and official SDKs take frames of up to 1 MiB."""
MESSAGES_PLACED: Final = 10_000
"""Of so many it is remembered in which thread they stand."""
PONG_SECONDS: Final = 8
CONNECT_SECONDS: Final = 10.0
TIMER_SECONDS: Final = 7 * 24 * 3600.0
"""The longest timer; a token that lives longer is looked at again then."""
COMMANDS_PER_SECOND: Final = 20
COMMANDS_BURST: Final = 100
FRAMES_BEFORE_CONNECT: Final = 32
"""Of every kind, from a client that is not known yet: a connect, a few pings, and the pieces of both."""
BYTES_BEFORE_CONNECT: Final = FRAME_BYTES + 2 * KIB
"""One frame with all that may follow connect, and the headers of the frames."""
INTAKE_SECONDS: Final = 10.0
INTAKE_ITEMS: Final = 1_500
"""Frames and commands of one known client in that time. What COMMANDS_PER_SECOND and its burst let through is 300; the
rest is for commands that are refused, which a client sends before it has read the first refusal."""
INTAKE_BYTES: Final = 16 * MIB
"""Twenty commands a second of the largest size, and room."""
FRAMES_IN_A_TURN: Final = 32
"""Of one client, before others get their turn of the event loop."""
