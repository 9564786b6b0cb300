"""Turns of actors on the event loop."""

from typing import Final

TURN_MESSAGES: Final = 256
"""Messages an actor handles in one turn of the event loop before others get theirs."""
CROWD: Final = 64
"""Connections of a channel above which its delivery has low priority: a reply elsewhere does not wait for all of
them."""
MEASURED_ROUNDS: Final = 64
"""Of so many rounds of turns one is timed, turn by turn: timing each costs two reads of the clock a turn."""
LOW_PRIORITY_SECONDS: Final = 0.0001
"""For turns of low priority in one round of the event loop: some 16. Writing their output takes three times as long."""
LOW_PRIORITY_SHARE: Final = 1 / 8
"""Of the time since the last such turns, where that is more: a server that is never idle still serves its crowds."""
