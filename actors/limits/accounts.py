"""Accounts, their sessions and API keys."""

from typing import Final

NAME_CHARS: Final = 200
EMAIL_CHARS: Final = 254
"""RFC 5321's path limit."""
ACCESS_TOKEN_SECONDS: Final = 15 * 60
"""Of tokens that the server issues: how long a leaked one is valid unless its session is ended."""
SESSION_SECONDS: Final = 30 * 24 * 3600
"""Since the last refresh: a user who returns within a month stays signed in."""
SIGN_IN_LINK_SECONDS: Final = 24 * 3600
SEEN_SECONDS: Final = 60
"""How exact `last_seen_at` and `last_used_at` are: each step is a write."""
API_KEYS_PER_USER: Final = 50
API_KEY_CHARS: Final = 128
REFRESH_GRACE_SECONDS: Final = 10
"""Two tabs that wake at once bring the same refresh token; the second one gets the answer of the first."""
