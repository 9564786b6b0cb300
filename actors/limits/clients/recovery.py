"""Recovery: what a client that reconnects gets replayed."""

from typing import Final

from actors.limits.units import KIB, MIB

RECOVERY_EVENTS: Final = 300
"""Beyond it a client reloads: replaying more is slower than reading the newest page."""
GATE_BYTES: Final = 4 * MIB
"""Of live events that wait for the replay of their channel: more than an outbox could take after it."""
RECOVERY_BYTES: Final = 512 * KIB
"""Of publications in one reply: official SDKs take frames of up to 1 MiB."""
RECOVERIES_SECONDS: Final = 10.0
"""How long a recovered range is kept for other clients that reconnect."""
RECOVERIES_BYTES: Final = 16 * MIB
"""Of all ranges that are kept: 32 of the largest."""
HISTORY_EVENTS: Final = 100
"""Of one answer to `history`: as many as a page has."""
RECOVERY_ENTRY_BYTES: Final = 512
"""Overhead of one range that is kept."""
