"""Pages of a list, and compressed documents."""

from typing import Final

from actors.limits.units import KIB

PAGE_DEFAULT: Final = 30
PAGE_MAX: Final = 100
PAGE_BYTES: Final = 768 * KIB
"""Of a page, which says that there is more: a hundred of the largest messages are 40 MB. A single resource may be
larger. Over a WebSocket it fits in a frame of 1 MiB, which is what official SDKs take."""
COMPRESSED_BYTES: Final = 1 * KIB
"""Documents from this size on are also served compressed."""
