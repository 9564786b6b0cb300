"""Artifacts: contents, versions, data sets, exports, links."""

from typing import Final

from actors.limits.units import KIB

ARTIFACT_BYTES: Final = 256 * KIB
"""Of a content as JSON: a report of a hundred pages. With a patch it fits into a request."""
ARTIFACTS_PER_THREAD: Final = 10_000
"""A thread is deleted in small steps; more belong into several threads."""
ARTIFACT_VERSIONS: Final = 100
"""Kept of each artifact, unless ARTIFACT_VERSIONS says otherwise: a day of edits by people."""
ARTIFACT_LABELS: Final = 100
"""Versions with a label, which are kept beside the newest ones."""
LABEL_CHARS: Final = 100
"""A short line: "Sent to the client on Friday"."""
PATCH_OPERATIONS: Final = 1_000
"""Of one JSON Patch; each may look through the document."""
PATCH_MOVED: Final = 300_000
"""Values that the moves of one JSON Patch carry in all: the largest content twice, in 0.5 s."""
PATCH_TRIES: Final = 5
"""Of a patch without `If-Match`, when others change the artifact at the same moment."""
DATA_SETS: Final = 20
"""Of one artifact: a dashboard of a hundred panels shares them."""
DATA_ROWS: Final = 5_000
"""Of one data set: more points than a chart has pixels."""
DATA_BYTES: Final = 256 * KIB
"""Of its rows as JSON."""
DATA_COLUMNS: Final = 50
"""A wider table cannot be read, and a chart with more series neither."""
DATA_CELL_CHARS: Final = 4_000
"""A paragraph or two; a longer text belongs in a message or a file."""
EXPORT_CELLS: Final = 250_000
"""Of all tables and charts of one export. A few hundred bytes may show a data set a hundred times, or have a column for
each row: a file of gigabytes."""
EXPORT_SECONDS: Final = 2.0
"""For the Markdown of one exported artifact; what is not rendered by then is shown as it was written."""
EXPORT_TEXT_CHARS: Final = 8_000
"""Of a piece of Markdown that is rendered at once: a longer text is cut where paragraphs end."""
SHARE_SECONDS: Final = 7 * 24 * 3600
"""How long a link to an artifact is good, unless its maker says otherwise."""
SHARE_SECONDS_MAX: Final = 365 * 24 * 3600
"""A year: a link in a document is looked at once a year."""
SHARES_PER_ARTIFACT: Final = 100
"""Links that are good at once."""
PROVENANCE_CHARS: Final = 200
"""Of a tool call's id, and of a model's name."""
ARTIFACT_VERSIONS_DROPPED: Final = 100
"""With one new version: more than one go only after ARTIFACT_VERSIONS was set to less."""
ARTIFACTS_ERASED: Final = 10
"""Of a thread, in one step of its deletion, each with all of its versions."""
