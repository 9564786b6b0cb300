"""Who may read the files: nobody but the server's own user."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.database.migrations import _rollback
from server.files.downloads.url_keys import rotate
from storage.lock import data_folder_lock
from storage.maintenance import copying, replacing
from tests.builders import Ledger, options
from tests.server.files.uploading import upload
from tests.serving import serving


@pytest.fixture(autouse=True)
def lenient() -> Iterator[None]:
    """The mask with which most systems run services; or what is seen here would prove nothing."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> str:
    return f"{path.stat().st_mode & 0o777:03o}"


def test_a_database_and_all_beside_it(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    ledger = Ledger(folder / "experience.db", from_scratch=True)
    ledger.thread(ledger.user())
    assert mode(folder) == "700"
    assert {file.name: mode(file) for file in folder.iterdir()} == {
        "experience.db": "600", "experience.db-wal": "600", "experience.db-shm": "600",
    }  # fmt: skip
    ledger.close()


def test_files_of_a_version_before_are_taken_back(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    ledger = Ledger(folder / "experience.db", from_scratch=True)
    ledger.close()
    ledger.path.chmod(0o644)
    folder.chmod(0o755)
    with data_folder_lock(folder):
        again = Ledger(ledger.path)
        assert (mode(ledger.path), mode(folder), mode(folder / "server.lock")) == ("600", "700", "600")
        again.close()


def test_a_folder_that_holds_other_things_is_left_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir(mode=0o755)
    (folder / "notes.txt").touch()
    with data_folder_lock(folder):
        assert mode(folder) == "755"


def test_copies_are_as_private(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "data" / "experience.db", from_scratch=True)
    ledger.close()
    backup, there = tmp_path / "backup.db", options(tmp_path / "other" / "experience.db")
    copying.backup(ledger.options, backup, progress=lambda *_: None)
    assert mode(backup) == "600"
    backup.chmod(0o644)
    there.path.parent.mkdir()
    for _ in range(2):
        kept = replacing.restore(backup, there, progress=lambda *_: None).kept
    assert kept is not None
    assert (mode(there.path), mode(kept)) == ("600", "600")
    replacing.start_over(there)
    assert mode(there.path) == "600"


async def test_all_that_a_server_and_its_commands_leave_in_the_folder_is_known_as_ours(tmp_path: Path) -> None:
    """One name that is not would leave the folder open to others, after each start."""
    folder = tmp_path / "data"
    async with serving(folder) as server:
        alice = server.client("alice")
        file, thread = await upload(alice), await alice.thread()
        assert (await alice.post(f"/api/v1/files/{file['id']}/sign")).status == 200
        assert (await alice.post(f"/api/v1/threads/{thread['id']}/exports", format="md")).status == 202
    rotate(folder)
    kept, _ = _rollback(options(folder / "experience.db"), 1)
    assert {"uploads", "exports", "file_urls.previous.key", kept.name} <= set(os.listdir(folder))
    folder.chmod(0o755)
    with data_folder_lock(folder):
        assert mode(folder) == "700"
