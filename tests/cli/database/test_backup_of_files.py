"""`xp db backup` and `restore` with files: nothing that the database names is missing, whatever ends in between."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from actors.auth.identity import Identity
from actors.resources.files.commands import DeleteFile
from storage.blobs import layout
from tests.builders import MIGRATIONS, Ledger
from tests.cli.conftest import Xp
from tests.storage.blobs.s3_servers import KEYS, S3Server, start_moto

SIGNED = {"AWS_ACCESS_KEY_ID": KEYS.access_key_id, "AWS_SECRET_ACCESS_KEY": KEYS.secret_access_key}
FILES = 6


def put(xp: Xp, content: str, **environment: str) -> Any:
    words = ("files", "put", "-", "--name", f"{content}.txt", "--as", "ana@example.com", "--json")
    return xp(*words, stdin=content, **environment).json


def contents(xp: Xp) -> dict[str, str]:
    """Name → content of every file; one that cannot be read is an error."""
    files = xp("files", "list", "--json").json
    return {file["name"]: xp("files", "get", file["id"], "-").out for file in files}


@pytest.fixture
def ana(xp: Xp) -> Identity:
    ledger = Ledger(xp.database)
    found = ledger.user("ana")
    ledger.close()
    return found


@pytest.fixture
def filled(xp: Xp, ana: Identity) -> Xp:
    for number in range(FILES):
        put(xp, f"text {number}")
    return xp


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    return tmp_path / "backup.db"


def lose_everything(xp: Xp) -> None:
    shutil.rmtree(xp.folder)


def blobs(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if len(path.name) == 64}


def test_into_an_empty_place(filled: Xp, backup: Path) -> None:
    before = contents(filled)
    ran = filled("db", "backup", backup)
    assert (ran.code, f"Copied {FILES} blobs of files (36 B)." in ran.out) == (0, True)
    lose_everything(filled)
    ran = filled("db", "restore", backup)
    assert (ran.code, f"Brought back {FILES} blobs of files (36 B)." in ran.out) == (0, True)
    assert contents(filled) == before
    assert filled("files", "check").code == filled("db", "check").code == 0
    assert (filled.folder / "blobs").stat().st_mode & 0o077 == 0


def test_the_next_backup_copies_what_is_new(filled: Xp, backup: Path) -> None:
    filled("db", "backup", backup)
    put(filled, "one more")
    found = filled("db", "backup", backup, "--force", "--json").json["files"]
    assert (found["copied"], found["there"]) == (1, FILES)
    other = backup.with_name("other.db")
    shared = ("--files", f"{backup}.files")
    assert filled("db", "backup", other, *shared, "--json").json["files"]["copied"] == 0
    lose_everything(filled)
    assert filled("db", "restore", other, *shared, "--json").json["files"]["copied"] == FILES + 1
    assert len(contents(filled)) == FILES + 1


def test_without_files_there_is_no_folder(xp: Xp, ana: Identity, backup: Path) -> None:
    assert xp("db", "backup", backup, "--json").json["files"] is None
    assert not backup.with_name("backup.db.files").exists()
    assert xp("db", "restore", backup).code == 0


def test_a_file_that_is_deleted_while_the_backup_runs_is_in_it(
    filled: Xp, ana: Identity, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The copy of the database comes first; bytes that it names stay for a day after their last reference."""
    from storage.maintenance import blob_copies

    file = filled("files", "list", "--json").json[0]
    named_in = blob_copies.named_in

    def delete_now(path: Path) -> Any:
        ledger = Ledger(filled.database)
        ledger.do(DeleteFile(identity=ana, file_id=file["id"]))
        ledger.close()
        filled("files", "prune")
        return named_in(path)

    monkeypatch.setattr(blob_copies, "named_in", delete_now)
    assert filled("db", "backup", backup, "--json").json["files"]["copied"] == FILES
    monkeypatch.undo()
    assert filled("db", "restore", backup).code == 0
    assert file["name"] in contents(filled)


def test_what_is_missing_or_damaged_is_said_and_the_rest_is_saved(filled: Xp, backup: Path) -> None:
    first, second = (file["sha256"] for file in filled("files", "list", "--json").json[:2])
    (filled.folder / "blobs" / layout.blob_path(first)).unlink()
    (filled.folder / "blobs" / layout.blob_path(second)).write_bytes(b"text X")
    ran = filled("db", "backup", backup)
    assert ran.code == 1
    assert f"missing in the store: {first}" in ran.err
    assert f"damaged in the store: {second}" in ran.err
    assert len(blobs(backup.with_name("backup.db.files"))) == FILES - 2
    ran = filled("db", "restore", backup)
    assert "2 blobs of 6 that the backup names cannot be had" in ran.sentence
    ran = filled("db", "restore", backup, "--force", "--json")
    assert (ran.code, ran.json["files"]["missing"]) == (0, sorted([first, second]))
    assert len(filled("files", "check", "--json").json["missing"]) == 1


def test_a_restore_repairs_what_is_damaged(filled: Xp, backup: Path) -> None:
    before = contents(filled)
    filled("db", "backup", backup)
    digest = filled("files", "list", "--json").json[0]["sha256"]
    (filled.folder / "blobs" / layout.blob_path(digest)).write_bytes(b"text X")
    found = filled("db", "restore", backup, "--json").json["files"]
    assert (found["copied"], found["there"]) == (1, FILES - 1)
    assert contents(filled) == before


def test_left_out(filled: Xp, backup: Path) -> None:
    assert filled("db", "backup", backup, "--files", "none", "--json").json["files"] is None
    found = filled("db", "restore", backup, "--json").json["files"]
    assert (found["where"], found["there"]) == ("reference", FILES)
    lose_everything(filled)
    assert "6 blobs of 6" in filled("db", "restore", backup).sentence
    assert not filled.database.exists()
    assert filled("db", "restore", backup, "--files", "none").code == 0
    assert filled("db", "backup", backup, "--files", "gs://x", "--force").code == 2
    assert filled("db", "backup", backup, "--files", filled.folder / "blobs", "--force").code == 2


def test_of_another_database_files_are_left_out(filled: Xp, backup: Path) -> None:
    copy = backup.with_name("copy.db")
    assert filled("db", "backup", copy, "--database", filled.database, "--json").json["files"] is None


def test_of_a_schema_without_files(xp: Xp, ana: Identity, backup: Path) -> None:
    steps = len(MIGRATIONS) - MIGRATIONS.index("0013_files")
    assert xp("db", "rollback", "--yes", "--steps", steps).code == 0
    assert xp("db", "backup", backup, "--json").json["files"] is None
    assert xp("db", "restore", backup, "--json").json["files"] is None
    assert xp("db", "check").code == 0


# S3


@pytest.fixture(scope="module")
def moto() -> Iterator[S3Server]:
    server = start_moto()
    yield server
    server.stop()


def test_by_reference_in_s3(xp: Xp, ana: Identity, backup: Path, moto: S3Server) -> None:
    moto.make_bucket("chat")
    store = {"BLOB_URL": f"s3://chat/files?endpoint={moto.url}", **SIGNED}
    put(xp, "in a bucket", **store)
    found = xp("db", "backup", backup, "--json", **store).json["files"]
    assert (found["where"], found["there"], found["copied"]) == ("reference", 1, 0)
    assert not backup.with_name("backup.db.files").exists()
    lose_everything(xp)
    assert xp("db", "restore", backup, **store).code == 0
    file = xp("files", "list", "--json").json[0]
    assert xp("files", "get", file["id"], "-", **store).out == "in a bucket"


def test_from_a_folder_to_a_bucket_and_back(filled: Xp, backup: Path, moto: S3Server) -> None:
    moto.make_bucket("backups")
    before = contents(filled)
    away = ("--files", f"s3://backups/chat?endpoint={moto.url}")
    assert filled("db", "backup", backup, *away, "--json", **SIGNED).json["files"]["copied"] == FILES
    lose_everything(filled)
    assert filled("db", "restore", backup, *away, **SIGNED).code == 0
    assert contents(filled) == before


# Killed in between

KILLED = """
import os, signal, sys
from storage.blobs.folder import FolderStore
from storage.maintenance import replacing
left = int(sys.argv.pop(1))
def at(function):
    def counted(*given, **named):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*given, **named)
    return counted
FolderStore._put = at(FolderStore._put)
replacing._new_epoch = at(replacing._new_epoch)
replacing._replace = at(replacing._replace)
from cli.main import main
main(prog_name="xp")
"""


def killed(xp: Xp, steps: int, *words: object) -> None:
    """The command in a process of its own, which is killed before its next step after so many."""
    environment = {name: value for name, value in xp.environment.items() if value is not None}
    command = [sys.executable, "-c", KILLED, str(steps), *map(str, words)]
    assert subprocess.run(command, env=environment, timeout=60, check=False).returncode == -9


@pytest.mark.parametrize("steps", [0, 2, FILES - 1])
def test_a_killed_backup_is_none_and_the_next_goes_on(steps: int, filled: Xp, backup: Path) -> None:
    before = contents(filled)
    killed(filled, steps, "db", "backup", backup)
    assert not backup.exists()
    found = filled("db", "backup", backup, "--json").json["files"]
    assert found["there"] + found["copied"] == FILES
    assert found["there"] >= max(0, steps - 3), "copies of before count"
    lose_everything(filled)
    filled("db", "restore", backup)
    assert contents(filled) == before


@pytest.mark.parametrize("steps", [0, 3, FILES, FILES + 1])
def test_a_killed_restore_has_changed_nothing_and_can_be_repeated(steps: int, filled: Xp, backup: Path) -> None:
    """Killed before a blob, after all of them, and right before the database takes its place."""
    before = contents(filled)
    filled("db", "backup", backup)
    put(filled, "later")
    for digest in blobs(filled.folder / "blobs"):
        if digest in blobs(backup.with_name("backup.db.files")):
            (filled.folder / "blobs" / layout.blob_path(digest)).unlink()
    killed(filled, steps, "db", "restore", backup)
    assert len(filled("files", "list", "--json").json) == FILES + 1, "the database of before is in its place"
    assert filled("db", "check", "--no-files").code == 0
    assert filled("db", "restore", backup).code == 0
    assert contents(filled) == before
    assert filled("files", "check").code == 0
