"""`xp drill`: faults on real server processes, seconds long; and that it notices a promise that was broken."""

import contextlib
import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import pytest

from cli import drill as command
from cli.drill import faults, running
from cli.drill.faults import FAULTS, Fault, Stage
from cli.drill.running import Found
from cli.drill.scratch_server import Spawn, spawn
from storage.database import FILE_NAME
from tests import forking
from tests.builders import Ledger
from tests.cli.conftest import Xp
from tests.prepared import prepare


async def _fork(folder: Path, environment: Mapping[str, str], log: IO[bytes]) -> forking.Forked:
    return await forking.fork(["serve"], environment, log)  # type: ignore[arg-type]


def _quickly() -> Spawn:
    return _fork if forking.is_possible() else spawn


async def _lose(stage: Stage) -> str:
    """A message that was promised is another one."""
    await stage.server.kill()
    database = sqlite3.connect(stage.server.data_dir / FILE_NAME)
    with database:
        (newest,) = database.execute('SELECT max("offset") FROM message').fetchone()
        database.execute('UPDATE message SET content = ? WHERE "offset" = ?', ("something else", newest))
    database.close()
    await stage.server.start()
    return "a message was changed"


async def test_promises_hold_and_one_that_is_broken_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each fault but that of the clock, for which a library has to be loaded before the process begins."""
    monkeypatch.setattr(faults, "_faketime", lambda: None)
    monkeypatch.setitem(FAULTS, "lie", Fault(_lose))  # type: ignore[arg-type]
    prepare(tmp_path / FILE_NAME)
    names = ("kill", "full-disk", "slow-disk", "locked", "frozen", "clock", "lie")
    drill = running.drill(names, seconds=0.3, kills=1, copy=tmp_path / FILE_NAME, spawn=_quickly())
    found = {each.fault: each async for each in drill}
    assert [name for name, each in found.items() if not each.holds] == ["lie"], found
    assert [name for name, each in found.items() if each.left_out] == ["clock"]
    assert "libfaketime is not installed" in found["clock"].did
    assert all(each.acknowledged > 0 for each in found.values() if not each.left_out)
    assert found["kill"].did == "killed 1 time"
    assert found["kill"].refused is not None
    assert found["kill"].refused["away"] > 0
    assert found["full-disk"].refused is not None
    assert found["full-disk"].refused["storage_unavailable"] > 0
    assert found["lie"].lost >= 1


def test_the_command_offers_every_fault() -> None:
    assert set(command.NAMES) == FAULTS.keys()
    assert all(fault.what.endswith(".") for fault in FAULTS.values())


def test_the_table_and_the_exit_code(xp: Xp, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [
        Found("kill", "5 kills", acknowledged=9, refused={"away": 3}),
        Found("clock", "libfaketime is not installed", left_out=True),
    ]

    async def held(*_: object, **__: object) -> list[Found]:
        return found

    monkeypatch.setattr(command, "_collect", held)
    ran = xp("drill")
    assert ran.code == 0
    assert "away 3" in ran.out
    assert "left out: libfaketime is not installed" in ran.out
    found.append(Found("frozen", "stood still", lost=2, missed=1))
    ran = xp("drill", "frozen")
    assert ran.code == 1
    assert "missed 1, twice 0, behind 0" in ran.out
    assert [each["holds"] for each in json.loads(xp("drill", "--json").out)] == [True, True, False]


def test_a_copy_is_taken_and_the_original_stays(xp: Xp, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[Path] = []
    checked: list[tuple[str]] = []

    async def look(names: list[str], seconds: float, kills: int, copy: Path, *, as_json: bool) -> list[Found]:
        copied.append(copy)
        with contextlib.closing(sqlite3.connect(copy)) as database:
            checked.append(database.execute("PRAGMA quick_check").fetchone())
        return []

    monkeypatch.setattr(command, "_collect", look)
    before = sorted(path.name for path in xp.folder.iterdir())
    assert xp("drill", "kill", "--copy").code == 0
    assert checked == [("ok",)]
    assert not copied[0].exists()
    assert sorted(path.name for path in xp.folder.iterdir()) == before


def test_wrong_usage(xp: Xp) -> None:
    ran = xp("drill", "earthquake")
    assert ran.code == 2
    assert "'kill', 'full-disk'" in ran.err
