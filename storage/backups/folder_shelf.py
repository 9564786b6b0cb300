"""Backups in a folder."""

import stat
from collections.abc import Sequence
from pathlib import Path

from storage.blobs.durable import DurableFolder, plain_words


class FolderShelf:
    """Implements `Shelf`."""

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()
        self._folder = DurableFolder(self._root)

    def entries(self) -> list[tuple[str, int]]:
        with plain_words(self._root):
            if not self._root.exists():
                return []
            return [entry for path in self._root.iterdir() if (entry := _entry(path)) is not None]

    def put(self, path: Path, name: str) -> None:
        with plain_words(self._root):
            self._folder.take(path, self._root / name)

    def fetch(self, name: str, into: Path) -> Path:
        path = self._root / name
        if not path.is_file():
            raise FileNotFoundError(path)
        return path

    def begin(self, name: str, count: int) -> bytes:
        with plain_words(self._root), (self._root / name).open("rb") as file:
            return file.read(count)

    def delete(self, name: str) -> None:
        with plain_words(self._root):
            (self._root / name).unlink(missing_ok=True)

    def delete_all(self, names: Sequence[str]) -> None:
        for name in names:
            self.delete(name)


def _entry(path: Path) -> tuple[str, int] | None:
    """None where it is no file, or has been removed since the folder was read."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return (path.name, found.st_size) if stat.S_ISREG(found.st_mode) else None
