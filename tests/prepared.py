"""New databases for tests: copies of one, with an epoch of their own; all migrations would take ten times as long."""

import functools
import tempfile
import uuid
from pathlib import Path

from storage import private_files
from storage.database import FILE_NAME, DatabaseOptions
from storage.journal.store import JournalStore


def prepare(path: Path) -> None:
    """Write a new database, where there is none."""
    if not path.exists():
        epoch, template = _template()
        private_files.make_folder(path.parent)
        private_files.make_file(path)
        path.write_bytes(template.replace(epoch, uuid.uuid4().hex[:16].encode()))


@functools.cache
def _template() -> tuple[bytes, bytes]:
    """An epoch, and the file of the new database that has it."""
    with tempfile.TemporaryDirectory() as folder:
        store = JournalStore(DatabaseOptions(Path(folder) / FILE_NAME, synchronous="OFF"))
        store.open()
        epoch = store.epoch.encode()
        store.close()
        template = (Path(folder) / FILE_NAME).read_bytes()
    assert template.count(epoch) == 1
    return epoch, template
