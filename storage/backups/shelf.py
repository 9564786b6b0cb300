"""Where backups are: named files in a folder or a bucket, each there as a whole or not at all."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from actors import limits
from actors.blobs import BlobStoreRefused
from storage.blobs.location import FolderLocation, Location, S3Location
from storage.blobs.opening import MISSING_EXTRA
from storage.blobs.s3.signing import S3Keys

_NAME = re.compile(r"experience-(\d{8}T\d{6}Z)-p(\d{1,19})\.(db|xpb)", re.ASCII)
_STAMP = "%Y%m%dT%H%M%SZ"
FILES = "files"
"""Below the location: the store of copies of files."""
SEGMENTS = "continuous"
"""Below the location: what changed after the backups, by continuous backup."""
MANIFEST = ".files"
"""After the name of a backup: what the names of its files' copies are."""


@dataclass(frozen=True, slots=True)
class Backup:
    name: str
    made_at: datetime
    """In whole seconds: nothing in it was committed later."""
    position: int
    """Of the log, as far as the backup goes."""
    size: int = 0
    """Bytes on the shelf."""

    @property
    def is_sealed(self) -> bool:
        return self.name.endswith(".xpb")


def dated(moment: datetime) -> datetime:
    """The next whole second, as names have it."""
    whole = moment.replace(microsecond=0)
    return whole if whole == moment else whole + timedelta(seconds=1)


def earliest(backup: Backup) -> datetime:
    """What was committed before is in it."""
    return backup.made_at - timedelta(seconds=1)


def name_of(made_at: datetime, position: int, *, sealed: bool) -> str:
    return f"experience-{made_at.astimezone(UTC).strftime(_STAMP)}-p{position}.{'xpb' if sealed else 'db'}"


def backup_of(name: str, size: int = 0) -> Backup | None:
    """None where the name is none of ours."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    try:
        made_at = datetime.strptime(match[1], _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None
    return Backup(name, made_at, int(match[2]), size)


class Shelf(Protocol):
    """Blocking. What fails is a `BlobStoreError`, in a sentence for operators."""

    def entries(self) -> list[tuple[str, int]]:
        """(name, bytes) of all, backups and manifests."""
        ...

    def put(self, path: Path, name: str) -> None:
        """Durably: the local file may be gone afterwards."""
        ...

    def fetch(self, name: str, into: Path) -> Path:
        """A local file with the content: `into`, or where it is anyway. Raises `FileNotFoundError`."""
        ...

    def begin(self, name: str, count: int) -> bytes:
        """The first bytes, at most so many. Raises `FileNotFoundError`."""
        ...

    def delete(self, name: str) -> None:
        """A missing one is no error."""
        ...

    def delete_all(self, names: Sequence[str]) -> None: ...


def open_shelf(location: Location, keys: S3Keys | None) -> Shelf:
    """Reaches nothing yet. Raises `BlobStoreRefused` where S3 is chosen and its extra is missing."""
    from storage.backups.folder_shelf import FolderShelf

    if isinstance(location, FolderLocation):
        return FolderShelf(location.path)
    try:
        from storage.backups.s3_shelf import S3Shelf
    except ImportError:
        raise BlobStoreRefused(MISSING_EXTRA) from None
    return S3Shelf(location, keys)


def files_of(location: Location) -> Location:
    """The store of the copies of files."""
    return _below(location, FILES)


def segments_of(location: Location) -> Location:
    """The shelf of segments."""
    return _below(location, SEGMENTS)


def _below(location: Location, folder: str) -> Location:
    if isinstance(location, FolderLocation):
        return FolderLocation(location.path / folder)
    prefix = "/".join(filter(None, (location.prefix, folder)))
    return S3Location(
        location.bucket, prefix, location.endpoint, location.region, location.sse, location.kms_key,
        location.virtual_host,
    )  # fmt: skip


def backups_on(shelf: Shelf) -> list[Backup]:
    """The newest first."""
    return backups_of(shelf.entries(), datetime.now(UTC))


def backups_of(entries: Iterable[tuple[str, int]], now: datetime) -> list[Backup]:
    """The newest first."""
    found = [backup for name, size in entries if (backup := backup_of(name, size)) is not None]
    latest = now + timedelta(milliseconds=limits.BACKUP_AHEAD_MS)
    past = [backup for backup in found if backup.made_at <= latest]
    dated = [backup if backup.made_at <= latest else _of_the_past(backup, past) for backup in found]
    return sorted(dated, key=lambda backup: (backup.made_at, backup.position), reverse=True)


def _of_the_past(backup: Backup, past: Iterable[Backup]) -> Backup:
    """Made while the clock was ahead, as the log tells: just before the first backup that goes further. It would pass
    for the newest until the clock gets there."""
    further = [other.made_at for other in past if other.position > backup.position]
    return replace(backup, made_at=min(further) - timedelta(milliseconds=1)) if further else backup
