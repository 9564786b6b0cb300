"""Files that are to be scanned, or to be shown by a preview."""

from dataclasses import dataclass

from actors.commands import Makes
from actors.queries import Query
from actors.resources.files.file import File, FilePreview, PreviewState, Scan

Behind = tuple[int, int]
"""Key of a file, and number of a version: the next page begins behind it."""


@dataclass(frozen=True, slots=True)
class Due:
    """A version that waits for the scanner or for its previews."""

    file_id: str
    number: int
    digest: str
    size: int
    media_type: str
    name: str
    file_key: int = 0


@dataclass(frozen=True, slots=True)
class RecordScan(Makes[File | None]):
    """What the scanner said of a version. Answers the `File`, or None where it has gone."""

    file_id: str
    number: int
    verdict: Scan
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class RecordPreview(Makes[File | None]):
    """What was made of a version. Answers the `File`, or None where it has gone."""

    file_id: str
    number: int
    state: PreviewState
    previews: tuple[FilePreview, ...] = ()
    details: str = "{}"
    placeholder: str | None = None
    text: str | None = None
    """Of its content, for search."""
    words: str | None = None
    """The same, as the search index has it; None: to be folded in the journal, which is no place for a long one."""


@dataclass(frozen=True, slots=True)
class RescanFiles(Makes["Rescanned"]):
    """Have the scanner look again at the versions of one file, or of `rows` files past the key `after`. The newest
    version can be had until a verdict says otherwise; older ones wait for it. Answers `Rescanned`."""

    file_id: str | None = None
    after: int = 0
    quarantined: bool = False
    """Also what is in quarantine."""
    rows: int = 500


@dataclass(frozen=True, slots=True)
class Rescanned:
    versions: int
    next: int | None
    """Key after which the next step starts; None at the end."""


@dataclass(frozen=True, slots=True)
class ListDueScans(Query[tuple[Due, ...]]):
    limit: int
    after: Behind = (0, 0)


@dataclass(frozen=True, slots=True)
class ListDuePreviews(Query[tuple[Due, ...]]):
    limit: int
    after: Behind = (0, 0)
