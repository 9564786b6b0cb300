"""Continuous backup from the terminal: `backups`, `rehearse` and `restore`, with segments that are good and not."""

import base64
import contextlib
import os
import shutil
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from actors.backups.keeping import parse
from storage.backups.continuous import state as states
from storage.backups.continuous.segments import Segment, segment_of
from storage.backups.continuous.shipping import Shipper
from storage.backups.folder_shelf import FolderShelf
from storage.backups.keys import parse_keys
from storage.backups.shelf import Shelf, name_of, open_shelf, segments_of
from storage.blobs.location import parse as parse_location
from storage.database import DatabaseOptions
from tests.builders import Ledger, post
from tests.cli.conftest import Xp
from tests.storage.blobs.s3_servers import KEYS, S3Server, start_moto

KEY = base64.b64encode(bytes(range(32))).decode()
SIGNED = {"AWS_ACCESS_KEY_ID": KEYS.access_key_id, "AWS_SECRET_ACCESS_KEY": KEYS.secret_access_key}
OTHER = base64.b64encode(bytes(range(1, 33))).decode()


@pytest.fixture(scope="module")
def moto() -> Iterator[S3Server]:
    server = start_moto()
    yield server
    server.stop()


def test_in_a_bucket(xp: Xp, tmp_path: Path, moto: S3Server) -> None:
    moto.make_bucket("continuous")
    places = {"BACKUP_URL": f"s3://continuous/chat?endpoint={moto.url}", **SIGNED}
    location = segments_of(parse_location(places["BACKUP_URL"]))
    shipped = Continuous(xp, tmp_path / "unused", KEY, shelf_of_segments=open_shelf(location, KEYS))
    xp.environment |= places
    try:
        shipped.post("before")
        shipped.back_up()
        shipped.post("after")
        shipped.settle()
    finally:
        shipped.lose_everything()
    assert xp("db", "rehearse", "--json").json["faults"] == []
    assert xp("db", "restore", "newest").code == 0
    assert shipped.messages() == ["before", "after"]
    shipped = Continuous(xp, tmp_path / "unused", KEY, shelf_of_segments=open_shelf(location, KEYS))
    xp.environment |= places
    try:
        shipped.back_up(BACKUP_KEEP="newest=1,continuous=1")
    finally:
        shipped.stop()
    assert [each["followed_up_to"] for each in xp("db", "backups", "--json").json] == [None], "the others are gone"
    assert not [name for name, _ in open_shelf(location, KEYS).entries() if name.endswith(".xps")]


class Continuous:
    """A data folder whose changes are shipped, in this process."""

    def __init__(self, xp: Xp, shelf: Path, key: str, *, shelf_of_segments: Shelf | None = None) -> None:
        xp.environment |= {"BACKUP_URL": str(shelf), "BACKUP_KEY": key, "BACKUP_CONTINUOUS": "200ms"}
        self.xp = xp
        self.shelf = shelf
        self.ledger = Ledger(xp.database)
        self.ana = self.ledger.user("ana")
        self.thread = self.ledger.thread(self.ana)
        options = DatabaseOptions(xp.database, synchronous="OFF")
        segments = shelf_of_segments or FolderShelf(shelf / "continuous")
        self._ended = threading.Event()
        shipper = Shipper(options, segments, parse_keys(key), 0.02)
        self._os_thread = threading.Thread(target=shipper.run, args=(self._ended,))
        before = states.read(xp.folder).lineage
        self._os_thread.start()
        while states.read(xp.folder).lineage in ("", before):
            time.sleep(0.01)

    def say(self, content: str) -> int:
        """One segment with this message; answers its time in milliseconds."""
        before = self.segments()
        self.post(content)
        while len(self.segments()) == len(before):
            time.sleep(0.01)
        return self.segments()[-1].at

    def post(self, content: str) -> None:
        self.ledger.apply(post(self.ana, self.thread, content))

    def settle(self) -> None:
        """Until all is shipped."""
        look = states.read(self.xp.folder).look
        while (now := states.read(self.xp.folder)).look < look + 2 or now.waiting:
            time.sleep(0.01)

    def segments(self) -> list[Segment]:
        names = [path.name for path in (self.shelf / "continuous").glob("*.xps")]
        return sorted((found for name in names if (found := segment_of(name))), key=lambda each: (each.at, each.number))

    def path_of(self, number: int) -> Path:
        (found,) = (segment for segment in self.segments() if segment.number == number)
        return self.shelf / "continuous" / found.name

    def back_up(self, **environment: str) -> str:
        """What was said before is in it, and in none of the segments that go on from it."""
        self.settle()  # a segment is on the shelf a moment before the state counts it
        ran = self.xp("db", "backup", "--json", **environment)
        assert ran.code == 0, ran
        return str(ran.json["name"])

    def stop(self) -> None:
        if self._os_thread.is_alive():
            self.ledger.close()
            self._ended.set()
            self._os_thread.join(60)

    def lose_everything(self) -> None:
        self.stop()
        shutil.rmtree(self.xp.folder)

    def messages(self) -> list[str]:
        with contextlib.closing(Ledger(self.xp.database)) as ledger:
            return [content for (content,) in ledger.sql("SELECT content FROM message ORDER BY id")]


@pytest.fixture(params=[KEY])
def shipped(xp: Xp, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Continuous]:
    """A backup with `first`, and two segments after it: `second`, `third`."""
    made = Continuous(xp, tmp_path / "shelf", request.param)
    made.say("first")
    made.back_up()
    made.say("second")
    made.say("third")
    yield made
    made.stop()


def iso(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds")


@pytest.mark.parametrize("shipped", [KEY, ""], indirect=True)
def test_the_newest_state_comes_back(shipped: Continuous) -> None:
    newest = shipped.segments()[-1]
    shipped.lose_everything()
    ran = shipped.xp("db", "restore", "newest")
    assert ran.code == 0, ran
    assert f"The state is that of {iso(newest.at).replace('+00:00', 'Z')}, by 2 segments after the backup" in ran.out
    assert shipped.messages() == ["first", "second", "third"]
    assert shipped.xp("db", "check").code == 0


def test_a_mistake_is_undone_by_a_time(shipped: Continuous) -> None:
    before = shipped.say("dear")
    shipped.say("the mistake")
    shipped.stop()
    ran = shipped.xp("db", "restore", "--at", iso(before), "--json")
    assert (ran.json["reached_at"], ran.json["segments"], ran.json["lost_seconds"]) == (
        iso(before).replace("+00:00", "Z"), 3, 0,
    )  # fmt: skip
    assert Path(ran.json["kept"]).exists(), "what was there before"
    assert shipped.messages() == ["first", "second", "third", "dear"]
    asked = shipped.xp("db", "restore", "--at", iso(before + 1))
    assert "; the time asked for is 0.0 s later; no later change was shipped by then." in asked.out
    assert shipped.messages()[-1] == "dear", "the segment with the mistake ends later"


def test_a_time_before_all_backups(shipped: Continuous) -> None:
    shipped.stop()
    assert "no backup there is of that time or earlier" in shipped.xp("db", "restore", "--at", "3h").sentence
    assert "there is no backup of that time or earlier" in shipped.xp("db", "rehearse", "--at", "3h").sentence
    assert shipped.xp("db", "restore", "--at", "yesterday").code == 2
    assert "Expected FILE, or --at TIME" in shipped.xp("db", "restore").err
    assert shipped.xp("db", "restore", "newest", "--at", "3h").code == 2
    assert shipped.xp("db", "rehearse", "name", "--at", "3h").code == 2


@pytest.mark.parametrize("harm", ["spoil", "cut off", "remove"])
def test_a_damaged_segment_ends_it_at_the_newest_good_state(shipped: Continuous, harm: str) -> None:
    fourth = shipped.say("fourth")
    newest = shipped.say("fifth")
    harmed = shipped.path_of(shipped.segments()[-2].number)
    good = shipped.segments()[-3]
    shipped.lose_everything()
    data = harmed.read_bytes()
    if harm == "spoil":
        harmed.write_bytes(data[:-30] + bytes([data[-30] ^ 1]) + data[-29:])
    elif harm == "cut off":  # as an upload leaves it that was torn
        harmed.write_bytes(data[: len(data) // 2])
    else:
        harmed.unlink()
    ran = shipped.xp("db", "rehearse", "--json")
    assert (ran.code, ran.json["reached_at"]) == (1, iso(good.at).replace("+00:00", "Z"))
    assert ran.json["lost_seconds"] == round((newest - good.at) / 1000, 3)
    ran = shipped.xp("db", "restore", "newest")
    assert ran.code == 0, ran
    assert "is followed as far as its segments are good: " in ran.err
    assert (f"segment {good.number + 1} is missing" if harm == "remove" else harmed.name) in ran.err
    assert "s of changes after it are lost." in ran.out
    assert shipped.messages() == ["first", "second", "third"], fourth


def test_a_backup_that_is_damaged_is_passed_over_with_the_same_segments(shipped: Continuous) -> None:
    later = shipped.back_up()
    shipped.say("fourth")
    shipped.lose_everything()
    path = shipped.shelf / later
    path.write_bytes(path.read_bytes()[:-1])
    ran = shipped.xp("db", "restore", "newest")
    assert (ran.code, later in ran.err) == (0, True)
    assert shipped.messages() == ["first", "second", "third", "fourth"], "nothing is lost by it"


def test_another_key(shipped: Continuous) -> None:
    shipped.lose_everything()
    ran = shipped.xp("db", "restore", "newest", BACKUP_KEY=OTHER)
    assert ran.code == 1
    assert "it was encrypted with the key" in ran.err
    assert "Set BACKUP_KEY to the key of that time" in ran.err
    assert "no backup there can be restored" in ran.err
    ran = shipped.xp("db", "restore", "newest", BACKUP_KEY=f"{OTHER},{KEY}")
    assert (ran.code, "2 segments" in ran.out) == (0, True)


def test_copies_of_files_stay_with_segments_that_another_key_has_sealed(shipped: Continuous) -> None:
    """No backup may name them: what came after the last backup by a key that was lost, and may be found again."""
    before, (made,) = shipped.segments(), shipped.shelf.glob("*.xpb")
    older = name_of(datetime.now(UTC) - timedelta(hours=5), 1, sealed=True)
    for path in list(shipped.shelf.glob(f"{made.name}*")):
        path.rename(path.with_name(path.name.replace(made.name, older)))
    copies = [shipped.shelf / "files" / "ab" / "cd" / f"abcd{number:060}" for number in range(2)]
    copies[0].parent.mkdir(parents=True)
    for copy, hours in zip(copies, (6, 3), strict=True):
        copy.write_bytes(b"a copy")
        os.utime(copy, (time.time() - hours * 3600,) * 2)
    shipped.stop()
    again = Continuous(shipped.xp, shipped.shelf, OTHER)
    try:
        again.back_up()
    finally:
        again.stop()
    assert [segment in again.segments() for segment in before] == [True] * len(before)
    assert [copy.exists() for copy in copies] == [False, True], "the first is older than the backup, which names it not"


def test_listed_with_the_times_that_can_be_reached(shipped: Continuous) -> None:
    (row,) = shipped.xp("db", "backups", "--json").json
    assert row["followed_up_to"] == iso(shipped.segments()[-1].at).replace("+00:00", "Z")
    while iso(shipped.segments()[-1].at).replace("+00:00", "Z") < row["made_at"]:  # the second after it was made
        shipped.say("later")
    ran = shipped.xp("db", "backups")
    assert "--at reaches any second from" in ran.out
    assert "segments of changes between them" in ran.out
    assert f"{len(shipped.segments())} segments after the backup" in shipped.xp("db", "rehearse").out


def test_a_restart_begins_another_lineage(shipped: Continuous) -> None:
    before = shipped.segments()[-1]
    shipped.stop()
    again = Continuous(shipped.xp, shipped.shelf, KEY)
    try:
        again.back_up()
        newest = again.say("after the restart")
        found = again.segments()
        assert found[-1].lineage != before.lineage
    finally:
        again.stop()
    assert again.xp("db", "rehearse", "--json").json["reached_at"] == iso(newest).replace("+00:00", "Z")
    ran = again.xp("db", "restore", "--at", iso(before.at))
    assert ran.code == 0, ran
    assert again.messages() == ["first", "second", "third"], "the lineage before is still there"


def test_segments_go_with_the_backups_that_begin_them(shipped: Continuous) -> None:
    first = shipped.segments()
    later = shipped.back_up(BACKUP_KEEP="newest=1,continuous=3")
    shipped.say("fourth")
    assert {*first}.isdisjoint(shipped.segments()), "of no use without the backup before"
    names = {path.name for path in shipped.shelf.iterdir()}
    assert names == {later, f"{later}.files", f"{later}.continued", "continuous"}
    shipped.lose_everything()
    assert shipped.xp("db", "restore", "newest").code == 0
    assert shipped.messages() == ["first", "second", "third", "fourth"]


def test_a_backup_without_a_process_that_ships_is_one_by_itself(xp: Xp, tmp_path: Path) -> None:
    Ledger(xp.database).close()
    xp.environment |= {"BACKUP_URL": str(tmp_path / "shelf"), "BACKUP_KEY": KEY}
    assert xp("db", "backup").code == 0
    assert not list((tmp_path / "shelf").glob("*.continued"))
    assert xp("db", "backups", "--json").json[0]["followed_up_to"] is None


def test_the_state_says_how_it_is_doing(shipped: Continuous) -> None:
    while (found := states.read(shipped.xp.folder)).shipped_at != shipped.segments()[-1].at or found.waiting:
        time.sleep(0.01)
    assert (found.is_live, found.behind_since, found.waiting, found.reason) == (True, None, 0, "")
    assert found.segments == shipped.segments()[-1].number


def test_days_of_continuous_backup_are_a_part_of_the_rules() -> None:
    assert parse("newest=1,continuous=14").continuous_days == 14
    assert parse("newest=1").continuous_days == 3
    with pytest.raises(ValueError, match="continuous=3 for days"):
        parse("continuous=x")
