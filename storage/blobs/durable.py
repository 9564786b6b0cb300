"""Moving a finished file into its place so that a crash leaves it whole or absent. Blocking: for OS threads."""

import contextlib
import errno
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from actors import limits
from actors.blobs import BlobError, BlobStoreFull, BlobStoreRefused, BlobStoreUnavailable
from storage.private_files import FILE_MODE, FOLDER_MODE

PARTIAL = "partial"
"""Folder beside the blobs for copies that are not finished."""

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.EEXIST}


class DurableFolder:
    """A folder whose entries survive a power cut once a call has returned."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._synced: set[Path] = set()
        """Folders whose own entry is known to be on disk."""

    def take(self, source: Path, target: Path) -> None:
        """Move a finished file below the root, replacing what is there; raises `OSError`.

        The name appears only when all bytes are on disk. Across file systems the source is copied, and removed.
        """
        self.make(target.parent)
        _sync_file(source)
        try:
            os.replace(source, target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            self._copy(source, target)
        _sync_folder(target.parent)

    def _copy(self, source: Path, target: Path) -> None:
        copy = self.partial()
        try:
            with source.open("rb") as reading, open(os.open(copy, _NEW, FILE_MODE), "wb") as writing:
                shutil.copyfileobj(reading, writing, limits.BLOB_PIECE_BYTES)
                writing.flush()
                os.fsync(writing.fileno())
            os.replace(copy, target)
        finally:
            copy.unlink(missing_ok=True)
        source.unlink()

    def partial(self) -> Path:
        """A free name for a file that is not finished; what killed processes left there goes."""
        folder = self.root / PARTIAL
        self.make(folder)
        _remove_old(folder)
        return folder / uuid4().hex

    def make(self, folder: Path) -> None:
        """The folder and those above it up to the root, each durable."""
        if folder in self._synced and folder.is_dir():
            return
        if folder != self.root:
            self.make(folder.parent)
            folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
        else:
            folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        _sync_folder(folder.parent)
        self._synced.add(folder)


_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL


def _sync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fchmod(descriptor, FILE_MODE)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_old(folder: Path) -> None:
    oldest = time.time() - limits.BLOB_PARTIAL_SECONDS
    for entry in os.scandir(folder):
        with contextlib.suppress(FileNotFoundError):
            if entry.stat(follow_symlinks=False).st_mtime < oldest:
                os.unlink(entry.path)


@contextlib.contextmanager
def plain_words(root: Path) -> Iterator[None]:
    """What the disk refuses, as a `BlobStoreError`; a missing file stays `FileNotFoundError`."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _meaning(error, root) from error


def _meaning(error: OSError, root: Path) -> BlobError:
    reason = error.strerror or str(error)
    if error.errno in _FULL:
        return BlobStoreFull(f"No space left for files in {root} ({reason}). Free some, then retry.")
    if error.errno in _REFUSED:
        return BlobStoreRefused(
            f"{root}: expected a folder that this user may write; got: {reason}. Set BLOB_URL (BACKUP_URL for backups)."
        )
    return BlobStoreUnavailable(f"The folder of files {root} fails: {reason}. Retry; if it stays, check the disk.")
