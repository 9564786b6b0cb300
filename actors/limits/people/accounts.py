"""Accounts, their sessions and API keys."""

from typing import Final

NAME_CHARS: Final = 200
"""The longest legal names fit; a longer one is no name that a list can show."""
EMAIL_CHARS: Final = 254
"""RFC 5321's path limit."""
ACCESS_TOKEN_SECONDS: Final = 15 * 60
"""Of tokens that the server issues: how long a leaked one is valid unless its session is ended."""
SESSION_SECONDS: Final = 30 * 24 * 3600
"""Since the last refresh: a user who returns within a month stays signed in."""
SIGN_IN_LINK_SECONDS: Final = 24 * 3600
"""Until tomorrow: it was sent to a person who reads mail once a day."""
SEEN_SECONDS: Final = 60
"""How exact `last_seen_at` and `last_used_at` are: each step is a write."""
API_KEYS_PER_USER: Final = 50
"""An agent for each of them; more belong to users of their own."""
API_KEY_CHARS: Final = 128
"""What is longer is none of ours, and refused before it is hashed."""
REFRESH_GRACE_SECONDS: Final = 10
"""Two tabs that wake at once bring the same refresh token; the second one gets the answer of the first."""
REFRESH_TOKENS_FORGOTTEN: Final = 4
"""Used tokens that a refresh may remove: more than the one that it adds, and few enough to cost it nothing."""
