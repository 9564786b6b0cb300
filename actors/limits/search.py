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
SEARCH_PREFIX_CHARS: Final = 2
"""Letters before a star: a single one would gather a tenth of the index before anything is found."""
