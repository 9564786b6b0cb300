"""Backups in a bucket of S3, by obstore."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

import obstore

from actors import limits
from storage.blobs.location import S3Location
from storage.blobs.s3.client import Patience, connect
from storage.blobs.s3.signing import S3Keys
from storage.private_files import private


class S3Shelf:
    """Implements `Shelf`."""

    def __init__(self, location: S3Location, keys: S3Keys | None) -> None:
        self._bucket = connect(location, keys, Patience())

    def entries(self) -> list[tuple[str, int]]:
        with self._bucket.plain_words():
            found = obstore.list_with_delimiter(self._bucket.store)
        return [(entry["path"].rpartition("/")[2], entry["size"]) for entry in found["objects"]]

    def put(self, path: Path, name: str) -> None:
        with self._bucket.plain_words():
            obstore.put(
                self._bucket.store, name, path, chunk_size=limits.S3_PART_BYTES,
                max_concurrency=limits.S3_PARTS_AT_ONCE,
            )  # fmt: skip

    def fetch(self, name: str, into: Path) -> Path:
        with self._bucket.plain_words():
            found = obstore.get(self._bucket.store, name)
            with open(into, "wb", opener=private) as file:
                file.writelines(found)
        return into

    def begin(self, name: str, count: int) -> bytes:
        with self._bucket.plain_words():
            found = obstore.get(self._bucket.store, name)
            return bytes(next(iter(found), b""))[:count]

    def delete(self, name: str) -> None:
        with contextlib.suppress(FileNotFoundError), self._bucket.plain_words():  # GCS tells, S3 does not
            obstore.delete(self._bucket.store, name)

    def delete_all(self, names: Sequence[str]) -> None:
        """Many at once, as far as all of them are there."""
        try:
            with self._bucket.plain_words():
                obstore.delete(self._bucket.store, list(names))
        except FileNotFoundError:
            for name in names:
                self.delete(name)
