"""Web Push, and the outbox of notifications that leave the server."""

from typing import Final

PUSH_SUBSCRIPTIONS: Final = 20
"""Browsers of one user, on all of their devices. Another one takes the place of the oldest."""
PUSH_ENDPOINT_CHARS: Final = 1_024
"""The longest that push services give out are some 300."""
PUSH_PAYLOAD_BYTES: Final = 3_900
"""Push services take 4,096 bytes of body (RFC 8030 7.2), of which the encryption needs 103."""
PUSH_SECONDS: Final = 10.0
"""For one request to a push service, from the look-up of the name to the status."""
PUSH_TTL_SECONDS: Final = 24 * 3600
"""For so long a push service keeps what a device without a network has not taken, and so long it is tried."""
PUSH_TOKEN_SECONDS: Final = 12 * 3600
"""A token for a push service is good for; RFC 8292 allows a day."""
PUSH_TOKEN_REUSED_SECONDS: Final = 3600
"""A token is used again for so long: a signature takes longer than the rest of a push."""
PUSH_TOKENS: Final = 100
"""Origins of push services whose token is kept; browsers know of a handful."""
PUSH_DELAYS: Final = (5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800)
"""Seconds after each failed attempt, before jitter: 16 hours in all."""
PUSH_WHILE_ACTIVE_SECONDS: Final = 15
"""A user who is active in the application has so long to read a notification there, before devices ring."""
OUTBOX_DUE: Final = 256
"""Rows that one look takes."""
OUTBOX_AT_ONCE: Final = 32
"""Users to whom something is being sent at the same time."""
