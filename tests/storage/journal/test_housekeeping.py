"""What nobody needs any more is taken away in small steps."""

import pytest

from actors import commands, limits
from actors.errors import NotFound
from actors.resources.messages import EditMessage
from actors.resources.reactions import React
from actors.resources.threads import DeleteThread
from storage.journal import transaction
from storage.resources.messages import reading as messages
from tests.builders import Ledger, once, post

HOUR = 3_600_000


def purge(ledger: Ledger, rows: int = 500) -> int:
    taken = ledger.do(commands.Purge(rows)).result
    assert isinstance(taken, int)
    return taken


def counts(ledger: Ledger) -> dict[str, int]:
    tables = ("thread", "member", "message", "message_revision", "reaction", "event", "idempotency")
    return {table: ledger.one(f'SELECT count(*) FROM "{table}"') for table in tables}


def grow_older(ledger: Ledger, table: str, column: str, milliseconds: int) -> None:
    ledger.sql(f'UPDATE "{table}" SET "{column}" = "{column}" - {milliseconds}')


def test_nothing_to_take(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    ledger.do(post(ana, ledger.thread(ana), once=once()))
    before = ledger.dump()
    assert purge(ledger) == 0
    assert ledger.dump() == before


def test_idempotency_keys_live_for_a_day(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    thread = ledger.thread(ana)
    ledger.do(post(ana, thread, once=once("old")))
    grow_older(ledger, "idempotency", "created_at", limits.IDEMPOTENCY_SECONDS * 1000 + 1)
    ledger.do(post(ana, thread, once=once("new")))
    assert purge(ledger) == 1
    assert ledger.sql("SELECT key FROM idempotency") == [("new",)]
    assert not ledger.do(post(ana, thread, once=once("old", "another request"))).replayed
    assert ledger.do(post(ana, thread, once=once("new"))).replayed


def test_keys_go_in_steps(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    thread = ledger.thread(ana)
    for n in range(5):
        ledger.do(post(ana, thread, once=once(f"{n}")))
    grow_older(ledger, "idempotency", "created_at", limits.IDEMPOTENCY_SECONDS * 1000 + 1)
    assert [purge(ledger, 2) for _ in range(4)] == [2, 2, 1, 0]


def test_a_deleted_thread_is_kept_for_an_hour(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    thread = ledger.thread(ana)
    ledger.do(DeleteThread(identity=ana, thread_id=thread.id))
    assert purge(ledger) == 0
    grow_older(ledger, "thread", "deleted_at", HOUR - 60_000)
    assert purge(ledger) == 0
    grow_older(ledger, "thread", "deleted_at", 120_000)
    assert purge(ledger) > 0
    assert counts(ledger) == dict.fromkeys(counts(ledger), 0)


@pytest.mark.parametrize("rows", [1, 2, 3, 100])
def test_everything_of_deleted_threads_goes_and_nothing_else(ledger: Ledger, rows: int) -> None:
    ana, bo = ledger.user("ana"), ledger.user("bo")
    kept, *gone = (ledger.thread(ana, bo) for _ in range(3))
    for thread in (kept, *gone):
        for n in range(3):
            message = ledger.post(ana, thread, f"{n}")
            edit = EditMessage(identity=ana, thread_id=thread.id, message_id=message.id, content="edited")
            ledger.do(edit)
            ledger.do(React(identity=bo, thread_id=thread.id, message_id=message.id, emoji="👍"))
    third = {table: count // 3 for table, count in counts(ledger).items()}
    before = ledger.ask(messages.page, ana, kept.id, limit=9)
    for thread in gone:
        ledger.do(DeleteThread(identity=ana, thread_id=thread.id))
    grow_older(ledger, "thread", "deleted_at", HOUR + 1)
    steps = 0
    while (taken := purge(ledger, rows)) == rows:
        steps += 1
        assert steps < 200
    assert taken < rows  # which says that there is no more
    assert counts(ledger) == third
    assert ledger.ask(messages.page, ana, kept.id, limit=9) == before
    assert ledger.sql("PRAGMA foreign_key_check") == []
    assert purge(ledger, rows) == 0


def test_a_step_takes_no_more_than_it_was_told(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    thread = ledger.thread(ana)
    ledger.apply(*(post(ana, thread) for _ in range(10)))
    ledger.do(DeleteThread(identity=ana, thread_id=thread.id))
    grow_older(ledger, "thread", "deleted_at", HOUR + 1)
    left = sum(counts(ledger)[table] for table in ("message", "event"))
    assert left > 20
    for step in range(1, 7):
        assert purge(ledger, 3) == 3
        assert sum(counts(ledger)[table] for table in ("message", "event")) == left - 3 * step


# Space


def pages(ledger: Ledger) -> tuple[int, int]:
    return ledger.one("PRAGMA page_count"), ledger.one("PRAGMA freelist_count")


def test_free_pages_are_given_back_in_small_steps(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actors.limits.SHRINK_RESERVE_PAGES", 10)
    monkeypatch.setattr("actors.limits.SHRINK_RESERVE_PARTS", 1_000)
    ana = ledger.user("ana")
    gone, kept = ledger.thread(ana), ledger.thread(ana)
    ledger.apply(*(post(ana, gone, "x" * 30_000) for _ in range(40)))
    message = ledger.post(ana, kept, "y" * 30_000)  # behind the others in the file
    ledger.do(DeleteThread(identity=ana, thread_id=gone.id))
    grow_older(ledger, "thread", "deleted_at", HOUR + 1)
    while purge(ledger):
        pass
    count, free = pages(ledger)
    steps = 0
    assert free > 100
    while given := ledger.do(commands.ShrinkDatabase(rows=50)).result:
        assert 0 < given <= 50
        steps += 1
    assert steps == (free - 10 + 49) // 50
    assert pages(ledger) == (count - free + 10, 10)
    assert ledger.ask(messages.one, ana, message.id).content == "y" * 30_000
    assert ledger.sql("PRAGMA integrity_check") == [("ok",)]


def test_a_reserve_of_free_pages_stays(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    thread = ledger.thread(ana)
    ledger.apply(*(post(ana, thread, "x" * 30_000) for _ in range(20)))
    ledger.do(DeleteThread(identity=ana, thread_id=thread.id))
    grow_older(ledger, "thread", "deleted_at", HOUR + 1)
    while purge(ledger):
        pass
    before = pages(ledger)
    assert before[1] > 50
    assert ledger.do(commands.ShrinkDatabase()).result == 0
    assert pages(ledger) == before


def test_a_database_that_cannot_shrink_does_not(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was made without `auto_vacuum`."""
    monkeypatch.setattr("actors.limits.SHRINK_RESERVE_PAGES", 0)
    ledger.sql("PRAGMA auto_vacuum = NONE")
    ledger.sql("VACUUM")
    ledger.sql("CREATE TABLE much AS SELECT zeroblob(1000000) AS bytes")
    ledger.sql("DROP TABLE much")
    before = pages(ledger)
    assert before[1] > before[0] // 20
    assert ledger.do(commands.ShrinkDatabase()).result == 0
    assert pages(ledger) == before


def test_positions_go_on_after_a_purge(ledger: Ledger) -> None:
    """They are never used again, even when the newest entries of the log are gone."""
    ana = ledger.user("ana")
    kept, gone = ledger.thread(ana), ledger.thread(ana)
    ledger.post(ana, gone, message_id="m")
    ledger.do(DeleteThread(identity=ana, thread_id=gone.id))
    head = ledger.one("SELECT position FROM log_head")
    grow_older(ledger, "thread", "deleted_at", HOUR + 1)
    purge(ledger)
    ledger.reopen()
    assert ledger.one("SELECT max(position) FROM event") < head
    (event,) = ledger.do(post(ana, kept)).events
    assert event.position == head + 1
    with pytest.raises(NotFound):
        ledger.ask(messages.one, ana, "m")


def test_a_deleted_thread_stays_for_an_hour_to_the_millisecond(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    ana = ledger.user("ana")
    thread = ledger.thread(ana)
    ledger.do(DeleteThread(identity=ana, thread_id=thread.id))
    since = ledger.one("SELECT deleted_at FROM thread")
    entries = ledger.one("SELECT count(*) FROM event")
    for age, taken in ((HOUR, 0), (HOUR + 1, entries + 1)):
        monkeypatch.setattr(transaction, "now_ms", lambda age=age: since + age)
        assert purge(ledger) == taken, "its entries and itself"


def test_a_large_file_keeps_a_part_of_its_pages_free(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actors.limits.SHRINK_RESERVE_PAGES", 10)
    monkeypatch.setattr("actors.limits.SHRINK_RESERVE_PARTS", 20)
    ana = ledger.user("ana")
    thread = ledger.thread(ana)
    ledger.apply(*(post(ana, thread, "x" * 30_000) for _ in range(40)))
    ledger.do(DeleteThread(identity=ana, thread_id=thread.id))
    grow_older(ledger, "thread", "deleted_at", HOUR + 1)
    while purge(ledger):
        pass
    count, free = pages(ledger)
    assert count // 20 > 10
    surplus = free - count // 20
    monkeypatch.setattr("actors.limits.SHRINK_RESERVE_PAGES", free)
    assert ledger.do(commands.ShrinkDatabase(rows=free)).result == 0, "there is just the reserve"
    monkeypatch.setattr("actors.limits.SHRINK_RESERVE_PAGES", 10)
    assert ledger.do(commands.ShrinkDatabase(rows=free)).result == surplus
    assert pages(ledger) == (count - surplus, free - surplus)
