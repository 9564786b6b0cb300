"""What can be asked about files."""

from dataclasses import dataclass, field

from actors.page import Page
from actors.queries import IdentityQuery, Owner, Query
from actors.resources.files.file import File, FileFilter, FileTotals, FileVersion


@dataclass(frozen=True, slots=True)
class GetFile(IdentityQuery[File]):
    file_id: str


@dataclass(frozen=True, slots=True)
class GetFileVersion(IdentityQuery[tuple[File, FileVersion]]):
    file_id: str
    number: int


@dataclass(frozen=True, slots=True)
class ListFileVersions(IdentityQuery[Page[FileVersion]]):
    """The newest first."""

    file_id: str
    limit: int = field(kw_only=True)
    before: int | None = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class ListFiles(IdentityQuery[Page[File]]):
    """The newest first."""

    wanted: FileFilter
    limit: int = field(kw_only=True)
    before: int | None = field(kw_only=True)
    everything: bool = field(kw_only=True, default=False)
    """For administrators: also what others have outside of threads, and threads that they are not in."""


@dataclass(frozen=True, slots=True)
class OwnedFile:
    """Of an export."""

    file: File
    is_seen: bool
    """Whether its owner may read it now: in a thread that they have left they may not."""


@dataclass(frozen=True, slots=True)
class ListFilesOf(Query[Page[OwnedFile]]):
    """All files of a user, the oldest first, also in threads that they have left."""

    user_id: str
    limit: int = field(kw_only=True)
    after: int | None = field(kw_only=True)

    @property
    def owner(self) -> Owner:
        return self.user_id


@dataclass(frozen=True, slots=True)
class CountFiles(IdentityQuery[FileTotals]):
    wanted: FileFilter
    everything: bool = field(kw_only=True, default=False)


@dataclass(frozen=True, slots=True)
class GetStorageUse(IdentityQuery[dict[str, int]]):
    """Bytes used, by `user`, `server` and, where one is named, `thread`."""

    thread_id: str | None = None


@dataclass(frozen=True, slots=True)
class FindShowingThread(Query[str | None]):
    """The file's thread, where a message in it shows the file."""

    file_id: str
