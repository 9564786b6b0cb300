"""Downloads: ranges, archives, signed links."""

from typing import Final

from actors.limits.units import MIB

RANGES: Final = 32
"""Of one download; more of them cost more than the whole content."""
ZIP_FILES: Final = 1_000
"""Of one archive: their ids fit into the address of a request."""
ZIP_BYTES: Final = 2 * 1024 * MIB
"""Of one archive: every program opens it, as nothing in it needs the 64-bit form."""
SIGNED_URL_SECONDS: Final = 300
"""By default: a page that shows pictures asks again when it is opened again."""
SIGNED_URL_SECONDS_MAX: Final = 24 * 3600
"""A day: it outlives the rights of its user so long."""
REDIRECT_SECONDS: Final = 60
"""A download that is redirected to the store begins within it; so long its URL outlives the rights of its user."""
