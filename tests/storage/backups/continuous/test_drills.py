"""Drills: the machine dies while a server writes and its changes are shipped; then a restore from the shelf alone."""

import contextlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from actors.backups import keeping
from storage.backups.continuous import state as states
from storage.backups.continuous.marks import Marking
from storage.backups.continuous.segments import Segment, segment_of
from storage.backups.continuous.survey import Shelves
from storage.backups.folder_shelf import FolderShelf
from storage.backups.keys import SealingKey
from storage.backups.making import Made, Maker
from storage.backups.restore_check import restored
from storage.database import FILE_NAME, DatabaseOptions
from storage.maintenance.copying import nothing_along
from tests.builders import Ledger

KEYS = (SealingKey(bytes(range(32))),)
EVERY_SECONDS = 0.02
KILLS = 20

HOST = """
import os, sys, threading, time, traceback
from pathlib import Path
from storage.backups.continuous.shipping import Shipper
from storage.backups.folder_shelf import FolderShelf
from tests.builders import Ledger
from tests.storage.backups.continuous.test_drills import KEYS, EVERY_SECONDS

folder = Path(sys.argv[1])
database = folder / "data" / "experience.db"

def write(first):
    ledger = Ledger(database)
    ana = ledger.user("ana")
    thread = ledger.thread(ana)
    with open(folder / "acknowledged", "a", buffering=1) as acknowledged:
        for number in range(first, 1 << 30):
            ledger.post(ana, thread, f"message {number}")
            acknowledged.write(f"{number} {time.time_ns() // 1_000_000}\\n")
            time.sleep(0.005)

def ship(reading):
    ended = threading.Event()
    threading.Thread(target=lambda: (os.read(reading, 1), ended.set()), daemon=True).start()
    Shipper(ledger_options(), FolderShelf(folder / "shelf" / "continuous"), KEYS, EVERY_SECONDS).run(ended)

def ledger_options():
    from tests.builders import options
    return options(database)

def forked(work):
    pid = os.fork()
    if pid == 0:
        try:
            work()
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    return pid

shipping = None
for line in sys.stdin:
    if shipping is None:
        reading, writing = os.pipe()
        def shipper():
            os.close(writing)
            ship(reading)
        shipping = forked(shipper)
    server = forked(lambda: write(int(line)))
    print(server, shipping, flush=True)
    os.waitpid(server, 0)
    if sys.stdin.readline() == "machine\\n":
        os.waitpid(shipping, 0)
        os.close(reading), os.close(writing)
        shipping = None
    print("over", flush=True)
"""
"""Imports once, and forks servers and the processes that ship beside them."""


@dataclass
class Machine:
    folder: Path
    host: "subprocess.Popen[str]"
    count: int = 0
    """Messages that were acknowledged."""

    @property
    def options(self) -> DatabaseOptions:
        return DatabaseOptions(self.folder / "data" / FILE_NAME, synchronous="OFF")

    @property
    def shelves(self) -> Shelves:
        shelf = self.folder / "shelf"
        return Shelves(FolderShelf(shelf), FolderShelf(shelf / "continuous"))

    def start(self) -> list[int]:
        """Process ids of the server, which writes by then, and of the one that ships."""
        assert self.host.stdin is not None
        before = self._acknowledgements.stat().st_size
        self.host.stdin.write(f"{self.count}\n")
        self.host.stdin.flush()
        pids = [int(pid) for pid in self._line().split()]
        while self._acknowledgements.stat().st_size == before:
            time.sleep(0.02)
        return pids

    @property
    def _acknowledgements(self) -> Path:
        return self.folder / "acknowledged"

    def acknowledged(self) -> list[tuple[int, int]]:
        """(number, time in milliseconds)"""
        lines = self._acknowledgements.read_text().splitlines(keepends=True)
        return [(int(number), int(at)) for number, at in (line.split() for line in lines if line.endswith("\n"))]

    def _line(self) -> str:
        assert self.host.stdout is not None
        line = self.host.stdout.readline()
        assert line, "the host has died"
        return line

    def back_up(self) -> Made:
        marking = Marking(self.folder / "data", is_expected=True)
        rules = keeping.parse("newest=2")
        maker = Maker(self.options, self.shelves, KEYS, rules, nothing_along, lambda _, __: None, marking)
        return maker.make(lambda _, __: None)

    def die(self, *pids: int) -> list[tuple[int, int]]:
        """Kill the server, or both; answers what was acknowledged: (number, time in milliseconds)."""
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        assert self.host.stdin is not None
        self.host.stdin.write("server\n" if len(pids) == 1 else "machine\n")
        self.host.stdin.flush()
        assert self._line() == "over\n"
        found = self.acknowledged()
        self.count = found[-1][0] + 1
        return found

    def settle(self) -> None:
        """Until all that was committed is shipped."""
        look = states.read(self.folder / "data").look
        while (now := states.read(self.folder / "data")).look < look + 2 or now.waiting:
            time.sleep(0.01)

    def newest_segment(self, lineage: str) -> Segment | None:
        found = [segment_of(name) for name, _ in self.shelves.segments.entries()]
        mine = [segment for segment in found if segment is not None and segment.lineage == lineage]
        return max(mine, key=lambda segment: segment.number, default=None)

    def restored_messages(self) -> list[int]:
        """From the shelf alone, on another machine."""
        other = self.folder / "other"
        shutil.rmtree(other, ignore_errors=True)
        other.mkdir()
        with restored(self.shelves, KEYS, other) as (done, path):
            assert (done.faults, done.backup is None) == ([], False)
            with contextlib.closing(sqlite3.connect(path)) as database:
                rows = database.execute("SELECT content FROM message ORDER BY id").fetchall()
        return sorted(
            {int(content.split()[1]) for (content,) in rows}
        )  # one that was committed, and then killed, is twice


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    Ledger(tmp_path / "data" / FILE_NAME).close()
    (tmp_path / "acknowledged").touch()
    command = [sys.executable, "-c", HOST, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as host:
        yield Machine(tmp_path, host)
        assert host.stdin is not None
        host.stdin.close()


def test_twenty_kills_lose_nothing_that_was_acknowledged_before_the_newest_segment(machine: Machine) -> None:
    """By turns the server alone, beside which the other process ships the rest, and the whole machine."""
    dice = random.Random(20)
    for _ in range(KILLS // 2):
        server, _ = machine.start()
        made = machine.back_up()
        assert made.lineage, "segments go on from it"
        acknowledged = machine.die(server)
        machine.settle()
        assert machine.restored_messages()[-1] >= acknowledged[-1][0], "nothing at all is lost"
        server, shipper = machine.start()
        time.sleep(dice.random() / 10)  # a moment to die at; nothing is waited for
        acknowledged = machine.die(shipper, server)
        newest = machine.newest_segment(made.lineage)
        assert newest is not None
        messages = machine.restored_messages()
        assert messages == list(range(len(messages))), "a state that was: nothing is missing in between"
        assert len(messages) > max(number for number, at in acknowledged if at < newest.at)
