"""Bytes of new files, copied beside the backups while their rows are shipped: on an OS thread of its own, because a
large one takes longer than a second."""

import contextlib
import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from actors import limits
from actors.blobs import BlobError
from storage.database import DatabaseProblem, plain_words
from storage.maintenance.blob_copies import Named

logger = logging.getLogger("storage.shipping")

CopyFiles = Callable[[list[Named]], None]
"""Copies what the shelf lacks of these. Raises `BlobError`."""


class NewFiles:
    """Of rows since the start: those before are copied by the backup with which the lineage begins. A blob that nothing
    named for a while gets another row (see `storage/resources/files/room.py`): no backup may have it."""

    def __init__(self, database: Path, copy: CopyFiles) -> None:
        self._database = database
        self._copy = copy
        self._seen = 0
        """Key of the newest row that was looked at."""
        self._has_ended = threading.Event()
        self._os_thread = threading.Thread(target=self._run, name="shipping files", daemon=True)

    def start(self) -> None:
        """Raises `DatabaseProblem`."""
        self.begin()
        self._os_thread.start()

    def begin(self) -> None:
        """What is there is left to the backup."""
        with self._reading() as database:
            self._seen = _newest(database)

    def _run(self) -> None:
        while not self._has_ended.wait(limits.SHIPPING_FILES_SECONDS):
            try:
                self.step()
            except (BlobError, DatabaseProblem) as error:
                logger.warning("new files are not copied to the backups yet: %s", error)
                self._has_ended.wait(limits.SHIPPING_RETRY_SECONDS)

    def step(self) -> None:
        with self._reading() as database:
            self._seen = min(self._seen, _newest(database))  # the key of the newest is given again once its row is gone
            rows = database.execute(
                'SELECT id, digest, size FROM blob WHERE id > ? AND "references" > 0 ORDER BY id LIMIT ?',
                (self._seen, limits.SHIPPING_FILES),
            ).fetchall()
        if rows:
            self._copy([(digest, size) for _, digest, size in rows])
            self._seen = rows[-1][0]

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        uri = f"{self._database.absolute().as_uri()}?mode=ro"
        with plain_words(self._database), contextlib.closing(sqlite3.connect(uri, uri=True)) as database:
            yield database

    def stop(self) -> None:
        """What is being copied is left to the next backup."""
        self._has_ended.set()
        if self._os_thread.is_alive():
            self._os_thread.join(limits.SHIPPING_END_SECONDS)


def _newest(database: sqlite3.Connection) -> int:
    return int(database.execute("SELECT coalesce(max(id), 0) FROM blob").fetchone()[0])
