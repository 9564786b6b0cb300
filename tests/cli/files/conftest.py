"""Files made by the command itself, in a folder of its own."""

from pathlib import Path
from typing import Any

import pytest

from actors.auth.identity import Identity
from storage.blobs import layout
from tests.builders import Ledger
from tests.cli.conftest import Xp


class Desk:
    """`desk.put(b"…", "--as", "ana@example.com")` answers the record."""

    def __init__(self, xp: Xp, folder: Path) -> None:
        self.xp = xp
        self.folder = folder
        folder.mkdir()

    def source(self, content: bytes = b"hello", name: str = "notes.txt") -> Path:
        path = self.folder / name
        path.write_bytes(content)
        return path

    def put(self, content: bytes = b"hello", *options: object, name: str = "notes.txt", **environment: str) -> Any:
        return self.xp("files", "put", self.source(content, name), "--json", *options, **environment).json

    def blob(self, file: Any) -> Path:
        return self.xp.folder / "blobs" / layout.blob_path(file["sha256"])


@pytest.fixture
def desk(xp: Xp, tmp_path: Path) -> Desk:
    return Desk(xp, tmp_path / "desk")


@pytest.fixture
def ana(ledger: Ledger) -> Identity:
    return ledger.user("ana")


def age(ledger: Ledger, days: float) -> None:
    """Files, and blobs that nothing names, become older."""
    by = int(days * 86_400_000)
    ledger.sql("UPDATE file SET updated_at = updated_at - ?", by)
    ledger.sql("UPDATE blob SET unreferenced_at = unreferenced_at - ?", by)
    ledger.sql("UPDATE upload SET expires_at = expires_at - ?", by)
