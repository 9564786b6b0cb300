"""Pages of a list, and compressed documents."""

from typing import Final

from actors.limits.units import KIB

PAGE_DEFAULT: Final = 30
"""A screen and a bit."""
PAGE_MAX: Final = 100
"""Items; more of them are another request."""
PAGE_BYTES: Final = 768 * KIB
"""Of a page, which says that there is more: a hundred of the largest messages are 40 MB. A single resource may be
larger. Over a WebSocket it fits in a frame of 1 MiB, which is what official SDKs take."""
COMPRESSED_BYTES: Final = 1 * KIB
"""Documents from this size on are also served compressed."""
COMPRESSED_KEPT: Final = 64
"""Compressed documents that are kept: as many as there are, and some pages of problems."""
EXPORT_ENTRIES: Final = 100
"""Memberships and sessions in the first answer of an export: more follow page by page, so that no answer grows
without end."""
PAGE_STEP: Final = 32
"""Rows made into records at a time: one step for most pages, and at most 13 MB where every row is of the largest."""
EXPORT_MESSAGES: Final = 20_000
"""Messages looked at for one page of an export: there is no index by author to keep for a question that is asked once
a year."""
