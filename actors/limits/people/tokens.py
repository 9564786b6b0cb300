"""Tokens and their keys."""

from typing import Final

from actors.limits.units import KIB

TOKEN_BYTES: Final = 8 * KIB
"""Headers of that size are refused by most proxies already."""
TOKEN_LEEWAY_SECONDS: Final = 30
"""How far the clocks of issuer and server may be apart."""
TOKENS_CACHED: Final = 50_000
"""Verified tokens; the least recently used one is dropped, and verified again."""
CREDENTIALS_AT_ONCE: Final = 256
"""Looked up in one read: 15 ms of a reader's time, which has the GIL for a part of it."""
TOKENS_LISTED: Final = 50_000
"""Of all users; the one that was seen first goes."""
TOKENS_LISTED_PER_USER: Final = 50
"""Tokens of other issuers that are shown beside sessions; the oldest go. A client that makes one for each request would
fill the memory."""
SECRET_BYTES: Final = 32
"""RFC 7518 3.2: an HS256 key has at least the size of the hash. A shorter JWT_SECRET is warned of, everywhere."""
SECRET_BYTES_LEAST: Final = 16
"""128 bits, where they are random. Systems that have signed with less than 32 bytes for years go on working."""
TOKEN_HEADERS_CACHED: Final = 64
"""Those of one key are all the same; a stranger's push each other out."""
SUBJECT_CHARS: Final = 255
"""As OpenID Connect has it for `sub`."""
TOKEN_SECONDS_MAX: Final = 10 * 366 * 24 * 3600
"""A token that lives longer is a mistake of its issuer."""
JWKS_REFRESH_SECONDS: Final = 600.0
"""Between two fetches of an issuer's keys: so long a key is good that was withdrawn."""
JWKS_PAUSE_SECONDS: Final = 30.0
"""Between two fetches, where no token names a key that is not known yet."""
JWKS_MISSED_SECONDS: Final = 5.0
"""For so long a key id that the issuer did not have is not asked for again."""
JWKS_MISSED: Final = 1024
"""Key ids that no issuer had, remembered: strangers make them up."""
JWKS_SECONDS: Final = 5.0
"""For one fetch of keys: a sign-in may wait for it."""
JWKS_BYTES: Final = 1024 * 1024
"""Of an issuer's keys; a hundred of them are 100 KiB."""
RSA_BITS_LEAST: Final = 2048
"""RFC 7518 3.3: of a key for RS256."""
JWKS_BURST: Final = 5.0
"""Fetches at once for key ids that are not known: tokens with made-up ones must not make us flood the issuer."""
JWKS_PER_SECOND: Final = 1.0
"""Beyond the burst a token waits for the next fetch, which all share: strangers' made-up ids delay a rotated key by a
second at most."""
SECRET_CHARACTERS_LEAST: Final = 8
"""Different ones in a secret. A random one has more, in whatever alphabet it is written; a word that is repeated has
not."""
