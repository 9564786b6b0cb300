"""What resident memory is taken by."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from server.telemetry import memory
from server.telemetry.memory import parts_of_memory, resident_bytes

LARGE = 16 << 20
NOISE = 4 << 20
"""What a process allocates on the way."""

pytestmark = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the system does not say")


def test_the_parts_are_the_whole() -> None:
    parts = parts_of_memory()
    assert set(parts) == {"files", "sqlite", "rest"}
    assert abs(sum(parts.values()) - resident_bytes()) < NOISE


def parts_before_and_after(code: str) -> tuple[dict[str, int], dict[str, int]]:
    """In a process in which nothing else happens; `code` takes memory and yields while it has it."""
    program = f"""
import json
from server.telemetry.memory import parts_of_memory
def take():
{textwrap.indent(code, "    ")}
parts_of_memory()
before = parts_of_memory()
taking = take()
next(taking)
print(json.dumps([before, parts_of_memory()]))
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30)
    before, after = json.loads(run.stdout)
    return before, after


def test_what_sqlite_allocates_is_its_own() -> None:
    before, after = parts_before_and_after(f"""
import sqlite3
database = sqlite3.connect(":memory:")
database.execute("CREATE TABLE filled AS SELECT zeroblob({LARGE})")
yield""")
    assert after["sqlite"] - before["sqlite"] >= LARGE
    assert after["rest"] - before["rest"] < NOISE


def test_mapped_pages_are_of_files(tmp_path: Path) -> None:
    path = tmp_path / "database"
    path.write_bytes(b"a" * LARGE)
    before, after = parts_before_and_after(f"""
import mmap
file = open({str(path)!r}, "rb")
mapped = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
assert mapped.find(b"b") == -1, "each page is read"
yield""")
    assert after["files"] - before["files"] >= LARGE
    assert after["rest"] - before["rest"] < NOISE


def test_without_proc_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> list[int]:
        raise FileNotFoundError

    monkeypatch.setattr(memory, "_pages", missing)
    assert parts_of_memory() == {}
    assert resident_bytes() > 0
