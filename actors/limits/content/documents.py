"""Documents that several people edit at once."""

from typing import Final

from actors.limits.units import KIB, MIB

EDITORS_PER_DOCUMENT: Final = 100
"""Each edit goes to all others; more people read, and a few write."""
EDIT_BYTES: Final = 256 * KIB
"""Of one edit: a whole content that is pasted, or a day of work without a network."""
EDIT_STRUCTS: Final = 10_000
"""Parts of one edit, looked through in 0.05 s; Yjs joins what was typed in one place."""
DOCUMENT_TYPES: Final = 15_000
"""Shared types of a document, which may be nested as deep: three times as many overflow the CRDT's stack."""
DOCUMENT_BYTES: Final = 4 * MIB
"""Of a document with what its edits leave behind; a content may have 256 KiB."""
EDITOR_MESSAGE_BYTES: Final = 2 * MIB
"""Of one frame: an edit, or what all editors of a document show of themselves."""
EDITS_WAITING_BYTES: Final = 512 * KIB
"""Of one editor, while their earlier edits are written to disk; no more is read from the socket meanwhile."""
EDITS_FOLDED: Final = 500
"""Edits after which a document is stored as a whole again: a minute of typing, read in a millisecond."""
EDITOR_QUESTIONS: Final = 20
"""Of one editor in `EDITOR_QUESTIONS_SECONDS`, for what it lacks and for cursors: an answer may be all of the document,
and takes 20 ms then. A client asks when it connects, and some once in a while."""
EDITOR_QUESTIONS_SECONDS: Final = 10.0
"""The window over which they are counted."""
EDITOR_BUFFER_BYTES: Final = MIB
"""That one editor's socket has not taken yet; beyond it the connection is closed, and the client comes back."""
CURSOR_BYTES: Final = 8 * KIB
"""Of what one editor shows of themselves: name, colour, selection."""
DOCUMENT_LOOK_SECONDS: Final = 0.4
"""Between two checks of the editors' rights: an editor whose right was revoked is disconnected within a second."""
DOCUMENT_VERSION_SECONDS: Final = 10.0
"""Of rest, after which a version is cut, unless DOCUMENT_VERSION_SECONDS says otherwise."""
DOCUMENT_CUT_TRIES: Final = 5
"""Of one version, while others change the artifact at the same moment."""
