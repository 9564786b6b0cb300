"""What a message holds."""

from typing import Final

from actors.limits.units import KIB

CONTENT_BYTES: Final = 64 * KIB
"""A long answer of an assistant is ~10 KiB; a pasted file belongs in `files`."""
METADATA_BYTES: Final = 16 * KIB
"""For ids and flags of the application; documents belong in artifacts."""
EMOJI_CHARS: Final = 64
"""The longest RGI emoji sequence has 10 code points; shortcodes reach 60."""
REACTIONS_PER_MESSAGE: Final = 100
"""Different emoji on one message: keeps the summary that every reader gets small."""
REACTION_USERS_SHOWN: Final = 10
"""Of one emoji, in the summary: the names that a tooltip shows."""
REACTIONS_READ: Final = 100
"""Of one message, row by row. Of more each emoji is counted and its first are read: of 5,000 in a tenth of the time."""
REVISIONS_KEPT: Final = 100
"""Of one message: a day of edits."""
MESSAGE_FILES: Final = 20
"""Files that one message shows."""
