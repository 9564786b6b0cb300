"""Comments on artifacts."""

from typing import Final

COMMENTS_PER_ARTIFACT: Final = 2_000
"""That are not deleted: a reader follows no more, and each may keep a base that no version has any more."""
COMMENT_REPLIES: Final = 200
"""To one comment: a longer conversation belongs in the thread."""
COMMENT_QUOTE_CHARS: Final = 4_000
"""Of the text that a comment is about: a page."""
COMMENT_CONTEXT_CHARS: Final = 32
"""Before and after it, which tell it from the same words elsewhere: half a line."""
COMMENT_POINTER_CHARS: Final = 1_000
"""Of a JSON pointer into a content."""
COMMENT_WORDS: Final = 400
"""Of a changed passage that are matched one by one, in some milliseconds; of a longer one only both ends are."""
COMMENT_BASES: Final = 16
"""Versions that one page of comments is compared with; each may be 256 KiB."""
COMMENTS_ERASED: Final = 50
"""In one step, when what a user has said is erased."""
