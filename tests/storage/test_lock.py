"""The lock of a data folder: one holder at a time, and free again however its holder ends."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from storage.database import DatabaseProblem
from storage.lock import FILE_NAME, data_folder_lock, holder

ROOT = Path(__file__).resolve().parents[2]
HOLD = """
import sys
from pathlib import Path
from storage.lock import data_folder_lock

with data_folder_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""


def test_one_at_a_time(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with data_folder_lock(folder):
        assert holder(folder) == os.getpid()
        with (
            pytest.raises(DatabaseProblem, match=rf"another server \(pid {os.getpid()}\) uses this folder; stop it"),
            data_folder_lock(folder),
        ):
            pass
        assert holder(folder) == os.getpid()  # who was refused has taken nothing away
    assert holder(folder) is None
    with data_folder_lock(folder):
        pass


def test_it_is_free_again_after_a_failure(tmp_path: Path) -> None:
    with pytest.raises(KeyError), data_folder_lock(tmp_path):
        raise KeyError("a defect")
    assert holder(tmp_path) is None


@pytest.mark.parametrize("ending", ["in order", "killed"])
def test_it_goes_with_its_process(tmp_path: Path, ending: str) -> None:
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            assert holder(tmp_path) == process.pid
            with pytest.raises(DatabaseProblem, match=f"pid {process.pid}"), data_folder_lock(tmp_path):
                pass
            if ending == "killed":
                process.kill()
        finally:
            process.communicate(timeout=30)
    assert holder(tmp_path) is None
    with data_folder_lock(tmp_path):
        assert holder(tmp_path) == os.getpid()


def test_who_looks_at_the_lock_keeps_nobody_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that asks whether the folder is free holds the lock for an instant."""
    flock = fcntl.flock
    looking = os.open(tmp_path / FILE_NAME, os.O_RDONLY | os.O_CREAT)
    flock(looking, fcntl.LOCK_SH)
    monkeypatch.setattr("time.sleep", lambda _: flock(looking, fcntl.LOCK_UN))  # it has looked
    with data_folder_lock(tmp_path):
        assert holder(tmp_path) == os.getpid()
    os.close(looking)


def test_nobody_holds_what_is_not_there(tmp_path: Path) -> None:
    assert holder(tmp_path / "nowhere") is None


def test_a_file_in_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with (
        pytest.raises(DatabaseProblem, match=r"data: (File exists|Not a directory)"),
        data_folder_lock(tmp_path / "data"),
    ):
        pass


def test_who_holds_it_cannot_always_be_told(tmp_path: Path) -> None:
    with data_folder_lock(tmp_path):
        (tmp_path / FILE_NAME).write_text("not a number")
        assert holder(tmp_path) == 0
        with pytest.raises(DatabaseProblem, match="another server uses this folder"), data_folder_lock(tmp_path):
            pass
