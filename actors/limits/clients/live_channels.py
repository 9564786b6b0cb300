"""Live channels."""

from typing import Final

from actors.limits.units import MIB

LIVE_HISTORY: Final = 100
"""Publications that a live channel keeps for clients that reconnect."""
LIVE_SECONDS: Final = 300.0
"""For how long; then a channel without subscribers is removed."""
LIVE_LOOKS: Final = 10
"""For such channels in that time: one outlives it by a tenth at most."""
LIVE_CHANNELS: Final = 10_000
"""At once, 3 KiB each. A new one takes the place of the one that has been idle for longest; where there is none, it is
refused."""
LIVE_CHANNELS_PER_USER: Final = 2_000
"""Created by one user, so that no user takes the room of all."""
LIVE_BYTES: Final = 64 * MIB
"""Remembered by all channels: the oldest publications are forgotten first."""
LIVE_USER_BYTES: Final = 8 * MIB
"""Of what one user has published: a hundred of the largest, or a screen that is shared by many."""
LIVE_ENTRY_BYTES: Final = 512
"""Overhead of each publication in the history, beside its payload."""
LIVE_SWEPT_AT_ONCE: Final = 500
"""Channels that are retired, or publications that are forgotten, in one turn: some 3 ms."""
LIVE_SWEEP_PAUSE_SECONDS: Final = 0.05
"""Between two such turns: others get theirs."""
