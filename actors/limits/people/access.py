"""The watch for changes of access."""

from typing import Final

ACCESS_LOOK_SECONDS: Final = 0.4
"""How often the log of access changes is looked at: revocation by another process has to be felt within a second."""
ACCESS_REST: Final = 3
"""Times as long as a look took others until the next one: it is never more than a quarter of what the server does."""
ACCESS_CHANGES_SECONDS: Final = 24 * 3600
"""How long changes of access are kept: every process has seen them long before."""
REVOKED_TOKENS_LOOKED_AT: Final = 1_000
"""Revoked tokens in memory from which is looked which of them have expired; then when they are twice as many."""
