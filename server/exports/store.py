"""Exports on disk: for each a record and, once it is made, a file. Nothing else knows of them, so a restart reads them
again; they go after a day."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import orjson

from actors.resources.exports import Export


class ExportStore:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def open(self) -> list[Export]:
        """What is there, oldest first. What cannot be read is removed: it lasted a day anyway."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = sorted(self._read(), key=lambda export: export.created_at)
        known = {export.id for export in found}
        for path in self._folder.iterdir():
            if path.name.partition(".")[0] not in known or path.suffix == ".part":
                path.unlink(missing_ok=True)
        return found

    def _read(self) -> Iterator[Export]:
        for path in self._folder.glob("*.json"):
            with contextlib.suppress(OSError, ValueError, TypeError):
                yield Export(**orjson.loads(path.read_bytes()))

    def path(self, export_id: str) -> Path:
        return self._folder / f"{export_id}.made"

    def write(self, export: Export, body: bytes | None = None) -> None:
        """The file before the record that names it."""
        if body is not None:
            self._replace(self.path(export.id), body)
        self._replace(self._folder / f"{export.id}.json", orjson.dumps(asdict(export)))

    def remove(self, export_id: str) -> None:
        (self._folder / f"{export_id}.json").unlink(missing_ok=True)
        self.path(export_id).unlink(missing_ok=True)

    def _replace(self, path: Path, body: bytes) -> None:
        part = path.with_suffix(f"{path.suffix}.part")
        part.touch(mode=0o600)
        part.write_bytes(body)
        os.replace(part, path)
