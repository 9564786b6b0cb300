"""Tokens and their keys."""

from typing import Final

from actors.limits.units import KIB

TOKEN_BYTES: Final = 8 * KIB
"""Headers of that size are refused by most proxies already."""
TOKEN_LEEWAY_SECONDS: Final = 30
TOKENS_CACHED: Final = 50_000
CREDENTIALS_AT_ONCE: Final = 256
"""Looked up in one read: 15 ms of a reader's time, which has the GIL for a part of it."""
TOKENS_LISTED: Final = 50_000
TOKENS_LISTED_PER_USER: Final = 50
"""Tokens of other issuers that are shown beside sessions; the oldest go. A client that makes one for each request would
fill the memory."""
SECRET_BYTES: Final = 32
"""RFC 7518 3.2: an HS256 key has at least the size of the hash. A shorter JWT_SECRET is warned of, everywhere."""
SECRET_BYTES_LEAST: Final = 16
"""128 bits, where they are random. Systems that have signed with less than 32 bytes for years go on working."""
TOKEN_HEADERS_CACHED: Final = 64
"""Those of one key are all the same; a stranger's push each other out."""
