"""What resident memory is taken by."""

import contextlib
import mmap
import sqlite3
from pathlib import Path

import pytest

from server.telemetry import memory
from server.telemetry.memory import parts_of_memory, resident_bytes

LARGE = 16 << 20
NOISE = 4 << 20
"""Other OS threads of the tests allocate meanwhile."""

pytestmark = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the system does not say")


def test_the_parts_are_the_whole() -> None:
    parts = parts_of_memory()
    assert set(parts) == {"files", "sqlite", "rest"}
    assert abs(sum(parts.values()) - resident_bytes()) < NOISE


def test_what_sqlite_allocates_is_its_own() -> None:
    before = parts_of_memory()
    with contextlib.closing(sqlite3.connect(":memory:")) as database:
        database.execute("CREATE TABLE filled AS SELECT zeroblob(?)", (LARGE,))
        after = parts_of_memory()
    assert after["sqlite"] - before["sqlite"] >= LARGE
    assert after["rest"] - before["rest"] < NOISE


def test_mapped_pages_are_of_files(tmp_path: Path) -> None:
    path = tmp_path / "database"
    path.write_bytes(b"a" * LARGE)
    before = parts_of_memory()
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as mapped:
        assert mapped.find(b"b") == -1, "each page is read"
        after = parts_of_memory()
    assert after["files"] - before["files"] >= LARGE
    assert after["rest"] - before["rest"] < NOISE


def test_without_proc_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> list[int]:
        raise FileNotFoundError

    monkeypatch.setattr(memory, "_pages", missing)
    assert parts_of_memory() == {}
    assert resident_bytes() > 0
