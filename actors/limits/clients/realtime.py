"""Realtime connections: frames, commands, timers."""

from typing import Final

from actors.limits.units import KIB, MIB

COMMANDS_PER_CONNECTION: Final = 256
"""Unanswered commands of one WebSocket; beyond it the socket is not read until some are answered."""
FRAME_BYTES: Final = 64 * KIB
"""Of a client, as the client protocol's server has it; larger requests are for REST."""
CHANNELS_PER_CONNECTION: Final = 128
"""As the client protocol's server has it; a screen shows a dozen threads."""
CHANNEL_CHARS: Final = 255
"""As the client protocol's server has it."""
SEND_BUFFER_BYTES: Final = 1 * MIB
"""What waits for one slow reader; beyond it the connection is closed with 3008 and comes back with its cursor."""
SOCKET_BUFFER_BYTES: Final = 64 * KIB
"""What is handed to the transport before its reader has taken it; the rest waits in the send buffer, counted."""
PUBLICATIONS_BYTES: Final = 256 * KIB
"""Of events that are encoded together: one frame carries them, and official SDKs take frames of up to 1 MiB."""
MESSAGES_PLACED: Final = 10_000
"""Of so many it is remembered in which thread they stand."""
PONG_SECONDS: Final = 8
"""For the answer to a ping, as the client protocol's server has it."""
CONNECT_SECONDS: Final = 10.0
"""For the first command of a new connection: until then its socket is held for nobody."""
TIMER_SECONDS: Final = 7 * 24 * 3600.0
"""The longest timer; a token that lives longer is looked at again then."""
COMMANDS_PER_SECOND: Final = 20
"""Of one connection: a person makes two, an agent that streams twenty."""
COMMANDS_BURST: Final = 100
"""What a client that reconnects sends at once: its channels."""
FRAMES_BEFORE_CONNECT: Final = 32
"""Of every kind, from a client that is not known yet: a connect, a few pings, and the pieces of both."""
BYTES_BEFORE_CONNECT: Final = FRAME_BYTES + 2 * KIB
"""One frame with all that may follow connect, and the headers of the frames."""
INTAKE_SECONDS: Final = 10.0
"""The window over which frames and bytes of one client are counted."""
INTAKE_ITEMS: Final = 1_500
"""Frames and commands of one known client in that time. What COMMANDS_PER_SECOND and its burst let through is 300; the
rest is for commands that are refused, which a client sends before it has read the first refusal."""
INTAKE_BYTES: Final = 16 * MIB
"""Twenty commands a second of the largest size, and room."""
FRAMES_IN_A_TURN: Final = 32
"""Of one client, before others get their turn of the event loop."""
TICK_SECONDS: Final = 0.25
"""Between two looks for timers that are due: one timer of the event loop serves all connections."""
DRAIN_BATCH: Final = 500
"""Connections that are closed at once when the server stops, so that their clients do not all come back in one
moment."""
DRAIN_PAUSE_SECONDS: Final = 0.05
"""Between two such batches."""
REFUSALS_BEFORE_CLOSE: Final = 1_000
"""Commands over the limit that are answered with an error before the connection is closed: that many between two that
are let through is a flood, not a burst."""
PINGS_BEFORE_EXPIRY: Final = 3
"""Between which each connection is looked at: a timer is set only for the last of a token's time."""
ENVELOPE_BYTES: Final = 2 * FRAME_BYTES + 1024
"""Of a frame beside a stream: as a text in JSON every quote in it is two bytes. The user is known only by the id of
the session in it, after it was read."""
WEBSOCKET_MESSAGE_BYTES: Final = 4 * FRAME_BYTES
"""A frame above its limit and below this gets an error in words; above it aiohttp closes with 1009."""
JOINED_BYTES: Final = 256 * 1024
"""Chunks are joined into one frame up to this: the official SDKs take frames of up to 1 MiB."""
COPIED_BYTES: Final = 8 * 1024
"""Below this one copy is cheaper than a vector of pieces."""
WEBSOCKET_GOODBYE_SECONDS: Final = 2.0
"""How long a peer has to answer a close frame before the socket is cut."""
FLOODED_SECONDS: Final = 0.5
"""How long one that has sent too much may take to read why it is cut."""
VARINT_BYTES: Final = 5
"""Of the length of a frame in Protobuf: 32 bits are more than any frame has."""
