"""Uploads: progress, forms, direct uploads, room on the disk."""

from typing import Final

from actors.limits.units import KIB, MIB

UPLOAD_TAKEOVER_SECONDS: Final = 5.0
"""A client that comes back for its upload ends the request that still writes to it, and waits so long for its end."""
UPLOADS_REMEMBERED: Final = 1_000
"""Uploads whose hash so far is kept between two requests, half a kilobyte each; the others are read again."""
FREE_DISK_BYTES: Final = 128 * MIB
"""Of the disk that uploads leave free: the database is on it, too."""
FORM_PARTS: Final = 100
"""Files and fields of one form."""
FORM_FIELD_BYTES: Final = 16 * KIB
"""As much metadata as a file may have."""
FORM_HEAD_BYTES: Final = 8 * KIB
"""Headers of one part: a name of 255 characters, in any script, escaped."""
UPLOAD_SECONDS: Final = 24 * 3600
"""An upload that is not complete after a day is given up."""
PROGRESS_SECONDS: Final = 0.25
"""Between two publications of the progress of an upload."""
PROGRESS_STEPS: Final = 20
"""Publications of one upload whose length is known: every 5 %."""
PROGRESS_BYTES: Final = MIB
"""Between two of an upload whose length is unknown."""
DIRECT_URL_SECONDS: Final = 3600
"""A direct upload must have begun to send its bytes within it; a slow one may go on."""
INCOMING_LOOK_SECONDS: Final = 3600.0
"""Between two looks for bytes of direct uploads that have ended."""
ARCHIVE_LOOKS_WAITING: Final = 100
"""Uploads of archives that wait until a worker has looked into those before; more are asked to retry."""
UPLOAD_LENGTH_DIGITS: Final = 15
"""Of a length in a header of tus: a petabyte."""
