"""Backups onto a shelf: `xp db backup` without a file, `backups`, `rehearse`, and `restore` from there."""

import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from storage.backups import making, record
from storage.backups.keys import parse_keys
from storage.backups.shelf import name_of
from storage.lock import data_folder_lock
from tests.builders import Ledger, post
from tests.cli.conftest import Xp
from tests.storage.blobs.s3_servers import KEYS, S3Server, start_moto

KEY = base64.b64encode(bytes(range(32))).decode()
OTHER = base64.b64encode(bytes(range(1, 33))).decode()
SIGNED = {"AWS_ACCESS_KEY_ID": KEYS.access_key_id, "AWS_SECRET_ACCESS_KEY": KEYS.secret_access_key}


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    return tmp_path / "elsewhere"


@pytest.fixture
def filled(xp: Xp, shelf: Path) -> Xp:
    """With three files of one user, backups in a folder, encrypted."""
    ledger = Ledger(xp.database)
    ana = ledger.user("ana")
    ledger.apply(post(ana, ledger.thread(ana), "hello"))
    ledger.close()
    for number in range(3):
        put(xp, f"text {number}")
    xp.environment |= {"BACKUP_URL": str(shelf), "BACKUP_KEY": KEY}
    return xp


def put(xp: Xp, content: str) -> Any:
    words = ("files", "put", "-", "--name", f"{content}.txt", "--as", "ana@example.com", "--json")
    return xp(*words, stdin=content).json


def contents(xp: Xp) -> dict[str, str]:
    files = xp("files", "list", "--json").json
    return {file["name"]: xp("files", "get", file["id"], "-").out for file in files}


def back_up(xp: Xp, **environment: str) -> Any:
    ran = xp("db", "backup", "--json", **environment)
    assert ran.code == 0, ran
    return ran.json


def age(shelf: Path, name: str, hours: float) -> str:
    """Let a backup be older than it is."""
    position = int(name.partition("-p")[2].partition(".")[0])
    older = name_of(datetime.now(UTC) - timedelta(hours=hours), position, sealed=name.endswith(".xpb"))
    for suffix in ("", ".files"):
        (shelf / (name + suffix)).rename(shelf / (older + suffix))
    return older


def spoil(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def lose_everything(xp: Xp) -> None:
    shutil.rmtree(xp.folder)


@pytest.mark.parametrize("key", [KEY, ""])
def test_there_and_back_with_files(filled: Xp, shelf: Path, key: str) -> None:
    filled.environment["BACKUP_KEY"] = key
    before = contents(filled)
    made = back_up(filled)
    assert (made["files"]["copied"], made["name"].endswith(".xpb")) == (3, bool(key))
    listed = filled("db", "backups", "--json").json
    assert [(one["name"], one["encrypted"]) for one in listed] == [(made["name"], bool(key))]
    everything = b"".join(path.read_bytes() for path in shelf.rglob("*") if path.is_file())
    assert (b"text 1" in everything) == (not key), "files are encrypted, too"
    assert all(path.stat().st_mode & 0o077 == 0 for path in shelf.rglob("*"))
    lose_everything(filled)
    ran = filled("db", "restore", "newest")
    assert (ran.code, f"Restored {made['name']}" in ran.out) == (0, True), ran
    assert contents(filled) == before
    assert filled("files", "check").code == filled("db", "check").code == 0


def test_from_the_file_itself(filled: Xp, shelf: Path, tmp_path: Path) -> None:
    before, name = contents(filled), back_up(filled)["name"]
    lose_everything(filled)
    assert filled("db", "restore", shelf / name, BACKUP_URL=None).code == 0, "with the copies beside it"
    assert contents(filled) == before
    alone = tmp_path / "carried" / "by-hand.backup"
    alone.parent.mkdir()
    shutil.copy(shelf / name, alone)
    assert filled("db", "restore", alone, "--json").json["files"]["where"] == "reference"
    assert filled("db", "restore", alone, "--files", shelf / "files", "--json").json["files"]["there"] == 3


def test_the_next_copies_what_is_new(filled: Xp) -> None:
    back_up(filled)
    put(filled, "one more")
    made = back_up(filled)["files"]
    assert (made["copied"], made["there"]) == (1, 3)


def test_another_key_and_the_one_before(filled: Xp, shelf: Path) -> None:
    name = back_up(filled)["name"]
    for words in (("db", "restore", name), ("db", "restore", shelf / name)):
        said = filled(*words, BACKUP_KEY=OTHER).sentence
        assert f"{name}: it was encrypted with the key" in said
        assert "Set BACKUP_KEY to the key of that time" in said
    assert "BACKUP_KEY is not set" in filled("db", "restore", name, BACKUP_KEY=None).sentence
    ran = filled("db", "rehearse", BACKUP_KEY=OTHER)
    assert (ran.code, "No backup can be restored." in ran.err) == (1, True)
    back_up(filled, BACKUP_KEY=f"{OTHER},{KEY}")
    assert filled("db", "restore", name, BACKUP_KEY=f"{OTHER},{KEY}").code == 0


def test_a_key_that_is_dropped_while_backups_need_it_is_named(filled: Xp, shelf: Path) -> None:
    old = age(shelf, back_up(filled)["name"], 2)
    changed = back_up(filled, BACKUP_KEY=f"{OTHER},{KEY}")
    assert changed["locked"] == []
    age(shelf, changed["name"], 1)
    assert looked_at(filled, BACKUP_KEY=f"{OTHER},{KEY}") == []
    (check,) = looked_at(filled, BACKUP_KEY=OTHER)
    assert (check["good"], check["found"]) == (False, f"BACKUP_KEY lacks the key of {old}: {key_id(KEY)}")
    dropped = filled("db", "backup", "--json", BACKUP_KEY=OTHER)
    assert (dropped.code, dropped.json["locked"]) == (0, [old])
    assert dropped.err == f"{check['found']}; they cannot be restored until it is added.\n"
    (check,) = looked_at(filled, BACKUP_KEY="")
    assert check["found"].startswith(f"BACKUP_KEY lacks the key of 3 backups ({old} and newer ones): {key_id(KEY)}, ")


def looked_at(xp: Xp, **environment: str) -> Any:
    return [check for check in xp("doctor", "--json", **environment).json if check["name"] == "backups"]


def key_id(key: str) -> str:
    return parse_keys(key)[0].id.hex()


def say_more(xp: Xp) -> None:
    ledger = Ledger(xp.database)
    ana = ledger.user("ana")
    ledger.post(ana, ledger.thread(ana), "since")
    ledger.close()


def test_the_newest_is_not_one_that_was_made_while_the_clock_was_ahead(filled: Xp, shelf: Path) -> None:
    """It would pass for the newest until then, and with `newest=1` take the place of all that come."""
    rules = {"BACKUP_KEEP": "newest=1"}
    ahead = age(shelf, back_up(filled, **rules)["name"], -48)
    assert [backup["name"] for backup in filled("db", "backups", "--json").json] == [ahead], "nothing is newer"
    say_more(filled)
    newer = back_up(filled)["name"]
    assert [backup["name"] for backup in filled("db", "backups", "--json").json] == [newer, ahead]
    assert filled("db", "rehearse", "--json").json["good"]["name"] == newer
    say_more(filled)  # two of one second that hold the same have one name
    assert back_up(filled, **rules)["removed"] == 2


def test_a_backup_by_another_key_has_its_own_copies_of_files(filled: Xp, shelf: Path) -> None:
    """So that the key of before can go, and the copies by it with the last backup that needs them."""
    before = contents(filled)
    age(shelf, back_up(filled)["name"], hours=2)
    for copy in (shelf / "files").rglob("*"):
        os.utime(copy, (1, 1))
    made = back_up(filled, BACKUP_KEY=f"{OTHER},{KEY}", BACKUP_KEEP="newest=1")
    assert (made["files"]["copied"], made["removed"]) == (3, 1)
    assert len([path for path in (shelf / "files").rglob("*") if path.is_file()]) == 3, "those of before are gone"
    lose_everything(filled)
    assert filled("db", "restore", "newest", BACKUP_KEY=OTHER).code == 0
    assert contents(filled) == before


def test_rehearsed(filled: Xp, shelf: Path) -> None:
    assert "there is no backup" in filled("db", "rehearse").sentence
    made = back_up(filled)
    done = filled("db", "rehearse", "--json").json
    assert (done["good"]["name"], done["faults"], done["files"]["there"]) == (made["name"], [], 3)
    ran = filled("db", "rehearse")
    assert f"{made['name']} can be restored" in ran.out
    with data_folder_lock(filled.folder):
        assert filled("db", "rehearse", made["name"]).code == 0, "beside a server"
    assert "there is no backup x;" in filled("db", "rehearse", "x").sentence
    next(path for path in (shelf / "files").rglob("*") if path.is_file()).unlink()
    ran = filled("db", "rehearse")
    assert (ran.code, "1 blob that the database names cannot be had" in ran.err) == (1, True)


def test_a_damaged_one_is_passed_over(filled: Xp, shelf: Path) -> None:
    good = age(shelf, back_up(filled)["name"], hours=2)
    before = contents(filled)
    put(filled, "later")
    bad = back_up(filled)["name"]
    spoil(shelf / bad)
    ran = filled("db", "rehearse", "--json")
    assert (ran.code, ran.json["good"]["name"]) == (1, good)
    assert f"{bad}: it is damaged or cut off" in ran.json["faults"][0]
    lose_everything(filled)
    assert "it is damaged or cut off" in filled("db", "restore", bad).sentence
    assert not filled.database.exists()
    ran = filled("db", "restore", "newest")
    assert (ran.code, bad in ran.err, f"Restored {good}" in ran.out) == (0, True, True)
    assert contents(filled) == before


def test_a_damaged_plain_one(filled: Xp, shelf: Path) -> None:
    name = back_up(filled, BACKUP_KEY="")["name"]
    (shelf / name).write_bytes((shelf / name).read_bytes()[:8192])
    ran = filled("db", "rehearse")
    assert (ran.code, name in ran.err) == (1, True)
    assert name in filled("db", "restore", name).sentence


def test_what_is_not_there(filled: Xp) -> None:
    assert "there is no such file" in filled("db", "restore", "nothing.db").sentence
    absent = name_of(datetime.now(UTC), 1, sealed=True)
    assert f"{absent}: there is no such backup" in filled("db", "restore", absent).sentence
    assert "no backup there can be restored" in filled("db", "restore", "newest").sentence
    assert "No backups in" in filled("db", "backups").out
    assert filled("db", "backup", "--force").code == 2


def test_without_a_database_nothing_is_made(xp: Xp) -> None:
    assert "there is no database" in xp("db", "backup").sentence
    assert not xp.folder.exists()
    xp.folder.mkdir()
    assert "there is no database" in xp("db", "backup").sentence
    assert list(xp.folder.iterdir()) == []


def test_kept_by_rules_with_the_files_that_they_need(filled: Xp, shelf: Path) -> None:
    names = [age(shelf, back_up(filled)["name"], hours) for hours in (100, 50, 49)]
    orphan = shelf / "files" / "ab" / "cd" / f"abcd{'0' * 60}"
    orphan.parent.mkdir(parents=True, exist_ok=True)
    orphan.write_bytes(b"of a backup that is gone")
    fresh = orphan.with_name(f"abcd{'1' * 60}")
    fresh.write_bytes(b"stored just now")
    for path in (shelf / "files").rglob("*"):
        if path.is_file() and path != fresh:
            os.utime(path, (1, 1))
    made = back_up(filled, BACKUP_KEEP="newest=1,daily=2")
    assert made["removed"] == 2
    left = {one["name"] for one in filled("db", "backups", "--json").json}
    assert left == {made["name"], names[2]}
    assert {path.name for path in shelf.iterdir()} == left | {f"{name}.files" for name in left} | {"files"}
    assert (orphan.exists(), fresh.exists()) == (False, True)
    assert filled("db", "rehearse", names[2]).code == 0, "its copies are still there"


def test_a_backup_that_cannot_be_restored_is_none(filled: Xp, shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = age(shelf, back_up(filled)["name"], hours=1)
    seal = making.seal

    def spoiling(source: Any, target: Any, *given: Any, **named: Any) -> None:
        seal(source, target, *given, **named)
        target.flush()
        spoil(Path(target.name))

    monkeypatch.setattr(making, "seal", spoiling)
    assert "it is damaged or cut off" in filled("db", "backup").sentence
    assert [one["name"] for one in filled("db", "backups", "--json").json] == [good]
    found = record.read(filled.folder)
    assert found.failing_since is not None
    assert "damaged" in found.reason
    monkeypatch.undo()
    back_up(filled)
    assert record.read(filled.folder).failing_since is None


def test_missing_files_are_said(filled: Xp) -> None:
    next(path for path in (filled.folder / "blobs").rglob("*") if len(path.name) == 64).unlink()
    ran = filled("db", "backup")
    assert (ran.code, "missing in the store" in ran.err) == (1, True)
    found = record.read(filled.folder)
    assert found.good_at is not None
    assert found.reason.startswith("1 blob that the database names")


def test_one_at_a_time(filled: Xp) -> None:
    with record.backup_lock(filled.folder):
        assert "another backup or rehearsal runs" in filled("db", "backup").sentence


# S3


@pytest.fixture(scope="module")
def moto() -> Iterator[S3Server]:
    server = start_moto()
    yield server
    server.stop()


def test_in_a_bucket(filled: Xp, moto: S3Server) -> None:
    moto.make_bucket("backups")
    filled.environment |= {"BACKUP_URL": f"s3://backups/chat?endpoint={moto.url}", **SIGNED}
    before = contents(filled)
    assert "No backups in s3://backups/chat" in filled("db", "backups").out
    back_up(filled)
    name = back_up(filled, BACKUP_KEEP="newest=1")["name"]
    assert [one["name"] for one in filled("db", "backups", "--json").json] == [name]
    assert filled("db", "rehearse").code == 0
    assert [check["found"] for check in looked_at(filled, BACKUP_KEY=OTHER)] == [
        f"BACKUP_KEY lacks the key of {name}: {key_id(KEY)}"
    ]  # fmt: skip
    lose_everything(filled)
    assert filled("db", "restore", "newest").code == 0
    assert contents(filled) == before
    assert "there is no such backup" in filled("db", "restore", name_of(datetime.now(UTC), 9, sealed=True)).sentence


# Killed in between

KILLED = """
import os, signal, sys
from storage.backups import folder_shelf, making, unpacking
from storage.blobs.folder import FolderStore
from storage.maintenance import copying
left = int(sys.argv.pop(1))
def at(function):
    def counted(*given, **named):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*given, **named)
    return counted
copying.must_be_sound = at(copying.must_be_sound)
copying.put_in_place = at(copying.put_in_place)
FolderStore._put = at(FolderStore._put)
folder_shelf.FolderShelf.put = at(folder_shelf.FolderShelf.put)
folder_shelf.FolderShelf.delete = at(folder_shelf.FolderShelf.delete)
making.seal = at(making.seal)
making.unpacked = at(making.unpacked)
from cli.main import main
main(prog_name="xp")
"""


def killed(xp: Xp, steps: int) -> int:
    environment = {name: value for name, value in xp.environment.items() if value is not None}
    command = [sys.executable, "-c", KILLED, str(steps), "db", "backup"]
    return subprocess.run(command, env=environment, timeout=60, check=False, capture_output=True).returncode


@pytest.mark.parametrize("steps", [0, 1, 3, 5, 6, 8, 9])
def test_killed_anywhere_the_one_before_is_good_and_the_next_is_whole(filled: Xp, shelf: Path, steps: int) -> None:
    """While it copies, with the files, before and after sealing, on the shelf, in the verification, while it prunes."""
    good = age(shelf, back_up(filled)["name"], hours=1)
    put(filled, "later")
    before = contents(filled)
    filled.environment["BACKUP_KEEP"] = "newest=1"
    code = killed(filled, steps)
    assert code == -9, "the step was reached"
    done = filled("db", "rehearse", "--json").json
    assert done["faults"] == []
    assert (done["good"]["name"] == good) == (steps < 6), "before it is on the shelf, it is none"
    name = back_up(filled)["name"]
    assert {path.name for path in shelf.iterdir()} == {name, f"{name}.files", "files"}
    assert list(filled.folder.glob("*work*")) == list(filled.folder.glob("*partial*")) == []
    lose_everything(filled)
    assert filled("db", "restore", "newest").code == 0
    assert contents(filled) == before


def test_the_manifest_is_there_before_its_backup(filled: Xp, shelf: Path) -> None:
    name = back_up(filled)["name"]
    names = json.loads((shelf / f"{name}.files").read_bytes())
    assert sorted(names) == sorted(path.name for path in (shelf / "files").rglob("*") if len(path.name) == 64)
