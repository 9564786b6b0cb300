"""Search: queries, and what is indexed."""

from typing import Final

from actors.limits.units import KIB

SEARCH_CHARS: Final = 500
"""Of a query: a pasted sentence. In every script it fits the first line of a request."""
SEARCH_TERMS: Final = 32
"""Words and phrases of a query: each is looked up on its own."""
SEARCH_WORDS: Final = 64
"""Of a query, in all of its phrases; a character is a word where a script has no spaces. What follows is left out: each
costs a look at every place in which it stands, and a text may consist of it."""
SEARCH_MARKED_SECONDS: Final = 0.5
"""For marking what was found, ten times as long as any page takes; what is not marked by then is shown from its
start."""
SEARCH_FILE_CHARS: Final = 32 * KIB
"""Of the text of a file, 10 pages: what a search among messages and threads looks at, indexed in 1 ms. A list of files
with `q` looks at all that was extracted."""
SEARCH_FILE_WORDS: Final = 256 * KIB
"""Characters of the text of a file, or of an artifact, as an index has it: as much as is extracted of one. A few
characters become eighteen there, and all are written in the journal."""
SEARCH_PREFIX_CHARS: Final = 2
"""Letters before a star: a single one would gather a tenth of the index before anything is found."""
FOLDINGS_REMEMBERED: Final = 20_000
"""Characters whose plain form is remembered: those of all scripts but Chinese, and the common ones of it."""
INDEX_STEP: Final = 32
"""Documents at once while idle: 1 ms in which a writer waits, as each adds words that are new to the index; 128 took
3. As many new ones may stand beside the index for long."""
INDEX_MERGE_PAGES: Final = 4
"""Of the index, joined at once while idle: 1.5 ms; 32 took 5. Left to itself FTS5 would take 20 ms now and then."""
INDEX_BEHIND: Final = 4_096
"""Positions: this far behind, the index catches up also where writers wait."""
INDEX_BIG_STEP: Final = 1_024
"""Then so many documents at once: as many as a transaction brings."""
INDEX_STEP_CHARS: Final = 512 * 1024
"""Of text that is indexed at once: 20 ms."""
INDEX_STEP_POSITIONS: Final = 16_384
"""Log positions in one step; not all of them are messages."""
INDEX_ASIDE_CHARS: Final = 64 * 1024
"""Of text beside the index while idle: looking through it takes 5 ms."""
SEARCH_FRESH_POSITIONS: Final = 2 * INDEX_BEHIND
"""The index is not further behind the log, except while an old database is indexed."""
SEARCH_FRESH_CHARS: Final = 4 * 1024 * 1024
"""Of text that is looked through beside the index: 0.2 s."""
SEARCH_WINDOW: Final = 400
"""Matches that are ranked among each other, the newest first: ranking reads the beginning of each."""
SEARCH_MESSAGE_CHARS: Final = 8_000
"""Of a message: what is looked at to rank it and to show where the words stand."""
SEARCH_BLOCKS_CHARS: Final = 16_000
"""Blocks with more JSON than this are found, but not shown."""
SEARCH_THREADS: Final = 1_000
"""Threads of a caller that are named to the index one by one: the others' documents are never touched. Who is a
member of more sees so much that it is quicker to look at what matches and leave out what they may not see."""
CLOCK_SKEW_MS: Final = 24 * 3600 * 1000
"""How far the server's clock may have been set back without a search by time missing anything."""
SMALL_INDEX_STEPS: Final = 20
"""Of SQLite, between two looks at the clock: some rows."""
SNIPPET_CHARS: Final = 240
"""What a hit shows of its message: two lines."""
SNIPPET_CHARS_BEFORE: Final = 40
"""Shown before the first hit, where there is more."""
