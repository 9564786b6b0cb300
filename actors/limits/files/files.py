"""Files: records, previews, retention."""

from typing import Final

from actors.limits.units import MIB

FILES_AT_ONCE: Final = 100
"""Files in one batch, or in one archive: as many as a page has."""
FILE_NAME_CHARS: Final = 1024
"""Of a name as it comes; a name that is kept has at most 255 bytes, as file systems want it."""
MEDIA_TYPE_CHARS: Final = 127
"""As RFC 6838 has it for both parts together."""
FILE_BYTES: Final = 100 * MIB
"""Of one file, unless FILE_BYTES says otherwise."""
REFUSED_FILES_REMEMBERED: Final = 1_000
"""(user, file) pairs whose refusal is in the audit log already."""
FILES_PROCESSED_AT_ONCE: Final = 4
"""Scans, or previews, that run side by side."""
FILES_DUE: Final = 100
"""Of those that are due, looked at at once: some of them may have to wait."""
PREVIEW_TRIES: Final = 3
"""A file that ends three workers ends the fourth."""
PREVIEW_RETRY_SECONDS: Final = 5.0
"""A worker that was killed from outside, or too many files that wait."""
FILES_LOOK_SECONDS: Final = 30.0
"""Between two looks for files that are to be scanned or shown, when none has been announced."""
FILE_PENDING_DAYS: Final = 7
"""A record whose bytes have not come for so long goes, if nothing shows it: an upload lasts a day."""
FILES_PRUNED_SECONDS: Final = 3600.0
"""Between two runs of the retention rules, which count in days."""
FILES_PRUNED_AT_ONCE: Final = 100
"""Removed in one transaction."""
FILES_LOOKED_AT: Final = 5_000
"""Looked at by one read of the retention rules: a few milliseconds."""
FILES_KEPT_SECONDS: Final = 60.0
"""Between two looks for uploads past their time and for blobs that nothing names."""
TYPE_HEAD_BYTES: Final = 64 * 1024
"""Looked at from the beginning of a file to know its type; signatures, first tags and comments of images are
there."""
TYPE_TAIL_BYTES: Final = 64 * 1024
"""From the end: what was appended. The end record of a zip with its longest comment fits."""
TYPE_ZIP_ENTRIES: Final = 2000
"""Entries of a zip that are looked at to know its type: office documents have their parts among the first hundred,
programs their manifest."""
TYPE_MIMETYPE_BYTES: Final = 100
"""Of the entry `mimetype` of a zip: twice the longest in use."""
