"""What segments bring back is the database, whatever is written, folded, emptied and read between two looks."""

import contextlib
import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.backups.continuous.capture import Capture
from storage.backups.continuous.frames import ContinuityLost
from storage.backups.continuous.segments import Segment, apply, segment_of
from storage.backups.keys import SealingKey
from storage.database import DatabaseOptions, DatabaseProblem
from storage.private_files import make_folder

KEY = (SealingKey(bytes(range(32))),)
Rows = list[tuple[int, bytes]]


class Origin:
    """A database that is written, and its copy that follows."""

    def __init__(self, folder: Path, keys: tuple[SealingKey, ...] = ()) -> None:
        self.path = folder / "origin.db"
        self.copy = folder / "copy.db"
        self.spool = folder / "spool"
        self.keys = keys
        make_folder(self.spool)
        self.connection = self.connect()
        self.connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        self.connection.execute("PRAGMA journal_mode = wal")
        self.connection.execute("CREATE TABLE t (key INTEGER PRIMARY KEY, value BLOB)")
        self.capture = Capture(DatabaseOptions(self.path, synchronous="OFF"), self.spool, keys)
        with contextlib.closing(sqlite3.connect(self.copy)) as copy:
            self.connection.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")

    def connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, isolation_level=None, timeout=0)
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("PRAGMA synchronous = OFF")
        return connection

    def write(self, dice: random.Random) -> None:
        count = dice.choice((1, 3, 40))
        self.connection.execute("BEGIN")
        for _ in range(count):
            key, value = dice.randrange(300), dice.randbytes(dice.choice((10, 900, 9000)))
            self.connection.execute("INSERT OR REPLACE INTO t VALUES (?, ?)", (key, value))
        self.connection.execute("ROLLBACK" if dice.random() < 0.1 else "COMMIT")

    def shrink(self, dice: random.Random) -> None:
        self.connection.execute("DELETE FROM t WHERE key % 3 = ?", (dice.randrange(3),))
        self.connection.execute("PRAGMA incremental_vacuum").fetchall()

    def fold(self, mode: str) -> None:
        with contextlib.closing(self.connect()) as other, contextlib.suppress(sqlite3.OperationalError):
            other.execute(f"PRAGMA wal_checkpoint({mode})").fetchall()

    def take(self) -> Segment | None:
        return self.capture.step()

    def segments(self) -> list[Segment]:
        found = [segment for path in self.spool.iterdir() if (segment := segment_of(path.name)) is not None]
        return sorted(found, key=lambda segment: segment.number)

    def bring_back(self) -> Rows:
        for segment in self.segments():
            apply(self.spool / segment.name, segment, self.keys, self.copy)
            (self.spool / segment.name).unlink()
        with contextlib.closing(sqlite3.connect(self.copy)) as copy:
            assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            rows = copy.execute("SELECT * FROM t ORDER BY key").fetchall()
            copy.execute("PRAGMA journal_mode = DELETE")
        return rows

    def rows(self) -> Rows:
        return self.connection.execute("SELECT * FROM t ORDER BY key").fetchall()

    def log_size(self) -> int:
        return self.path.with_name("origin.db-wal").stat().st_size

    def close(self) -> None:
        self.capture.close()
        self.connection.close()


@pytest.fixture
def origin(tmp_path: Path) -> Iterator[Origin]:
    made = Origin(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_between_two_looks(tmp_path: Path, seed: int) -> None:
    """Writes, rollbacks, deletions, checkpoints of every kind by others, readers that come and go, and turns."""
    dice, origin = random.Random(seed), Origin(tmp_path, KEY if seed % 2 else ())
    reader = origin.connect()
    try:
        for _ in range(120):
            what = dice.random()
            if what < 0.45:
                origin.write(dice)
            elif what < 0.5:
                origin.shrink(dice)
            elif what < 0.65:
                origin.fold(dice.choice(("PASSIVE", "FULL", "RESTART", "TRUNCATE")))
            elif what < 0.75:
                if reader.in_transaction:
                    reader.rollback()
                else:
                    reader.execute("BEGIN")
                    reader.execute("SELECT count(*) FROM t").fetchall()
            elif what < 0.9:
                origin.take()
            else:
                origin.capture.turn(empty=dice.random() < 0.5)
            if what > 0.98:
                origin.take()
                assert origin.bring_back() == origin.rows()
        origin.take()
        assert origin.bring_back() == origin.rows()
    finally:
        reader.close()
        origin.close()


def test_nothing_written_is_no_segment(origin: Origin) -> None:
    assert origin.take() is None
    origin.write(random.Random(1))
    first = origin.take()
    assert first is not None
    assert (first.number, origin.take()) == (1, None)
    origin.write(random.Random(2))
    second = origin.take()
    assert second is not None
    assert (second.number, second.lineage, second.at > first.at) == (2, first.lineage, True)


def test_others_cannot_take_frames_away_that_were_not_copied(origin: Origin) -> None:
    for number in range(3):
        origin.write(random.Random(number))
        for mode in ("PASSIVE", "RESTART", "TRUNCATE"):
            origin.fold(mode)
        origin.write(random.Random(number + 10))
        origin.fold("TRUNCATE")
    origin.take()
    assert origin.bring_back() == origin.rows()


def test_the_log_starts_over_and_stays_short(origin: Origin) -> None:
    sizes = []
    for number in range(6):
        for each in range(20):
            origin.write(random.Random(100 * number + each))
        assert origin.capture.turn(empty=False)
        sizes.append(origin.log_size())
    assert sizes[-1] < 2 * max(sizes[:2]), "it begins anew, instead of growing each time"
    origin.take()
    assert origin.bring_back() == origin.rows()


def test_a_quiet_log_is_emptied(origin: Origin) -> None:
    origin.write(random.Random(1))
    assert origin.capture.turn(empty=True)
    assert origin.log_size() == 0, "what was deleted is not there either"
    origin.write(random.Random(2))
    origin.take()
    assert origin.bring_back() == origin.rows()


def test_a_reader_of_an_old_moment_puts_the_turn_off(origin: Origin) -> None:
    origin.write(random.Random(1))
    with contextlib.closing(origin.connect()) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM t").fetchall()
        origin.write(random.Random(2))
        assert not origin.capture.turn(empty=True)
    assert origin.capture.turn(empty=True)
    assert origin.bring_back() == origin.rows()


def test_a_writer_that_holds_the_lock_puts_the_turn_off(origin: Origin) -> None:
    origin.write(random.Random(1))
    origin.connection.execute("BEGIN IMMEDIATE")
    assert not origin.capture.turn(empty=False)
    origin.connection.execute("ROLLBACK")
    assert origin.capture.turn(empty=False)


def test_another_database_in_its_place_is_noticed(origin: Origin) -> None:
    origin.write(random.Random(1))
    other = origin.path.with_name("other.db")
    other.write_bytes(origin.copy.read_bytes())
    other.replace(origin.path)
    with pytest.raises(ContinuityLost, match="another database"):
        origin.take()


@pytest.mark.parametrize("keys", [(), KEY])
def test_a_damaged_segment_changes_nothing(tmp_path: Path, keys: tuple[SealingKey, ...]) -> None:
    origin = Origin(tmp_path, keys)
    origin.write(random.Random(1))
    segment = origin.take()
    assert segment is not None
    path, before = origin.spool / segment.name, origin.copy.read_bytes()
    whole = path.read_bytes()
    for spoiled in (
        whole[: len(whole) // 2], whole[:-1], whole[:4], b"",
        whole[: len(whole) // 2] + bytes([whole[len(whole) // 2] ^ 1]) + whole[len(whole) // 2 + 1 :],
    ):  # fmt: skip
        path.write_bytes(spoiled)
        with pytest.raises(DatabaseProblem, match=segment.name):
            apply(path, segment, keys, origin.copy)
    path.write_bytes(whole)
    other = Segment(segment.lineage, segment.number + 1, segment.at)
    with pytest.raises(DatabaseProblem, match="it is another segment, number 1"):
        apply(path, other, keys, origin.copy)
    assert origin.copy.read_bytes() == before
    origin.close()
