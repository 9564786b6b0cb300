"""Signals that end a command, and those that it was told to ignore."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from cli.terminal import ending
from tests.builders import Ledger
from tests.cli.conftest import Xp


def test_ctrl_c_ends_what_only_reads() -> None:
    before = signal.getsignal(signal.SIGINT)
    with ending.interruptible():
        assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) is before
    seen = []

    def elsewhere() -> None:
        with ending.interruptible():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert seen == [before]


def test_what_only_reads_ends_at_once() -> None:
    with ending.orderly():
        assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
        with ending.interruptible():
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@contextmanager
def uploading(xp: Xp, command_line: list[str], thread: str) -> Iterator[subprocess.Popen[bytes]]:
    """`xp files put -` that has begun, and waits for more."""
    environment = os.environ | {name: value for name, value in xp.environment.items() if value is not None}
    put = [*command_line, "files", "put", "-", "--name", "notes.txt", "--thread", thread]
    pipe = subprocess.PIPE
    with subprocess.Popen(put, env=environment, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        try:
            while not list(xp.folder.glob("uploads/*")):
                assert process.poll() is None
                time.sleep(0.01)  # between two looks at another process
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)])
def test_nothing_half_written_stays(
    number: signal.Signals, code: int, xp: Xp, ledger: Ledger, command_line: list[str]
) -> None:
    thread = ledger.thread(ledger.user("ana"))
    with uploading(xp, command_line, thread.id) as process:
        process.send_signal(number)
        assert process.wait(30) == code
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert list((xp.folder / "uploads").iterdir()) == []
    assert ledger.one("SELECT count(*) FROM upload") == 0
    assert ledger.one("SELECT count(*) FROM member") == 1


def test_under_nohup_a_lost_terminal_ends_nothing(xp: Xp, ledger: Ledger, command_line: list[str]) -> None:
    thread = ledger.thread(ledger.user("ana"))
    with uploading(xp, ["nohup", *command_line], thread.id) as process:
        process.send_signal(signal.SIGHUP)
        assert process.communicate(b"notes", 60)[1] == b""
        assert process.returncode == 0
