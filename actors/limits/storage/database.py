"""The database while the server runs."""

from typing import Final

from actors.limits.units import MIB

DATABASE_CACHE_BYTES: Final = 64 * MIB
"""Of the connection that writes, unless DATABASE_CACHE says otherwise; each of the five that read has a quarter: the
pages that every message changes, and the indexes of threads that are in use."""
DATABASE_MAPPED_MIB: Final = 256
"""Of the file, for each connection: pages that are read without a copy, in memory that the kernel takes back."""
STATEMENTS_PREPARED: Final = 512
"""Of a connection: more than there are different ones."""
