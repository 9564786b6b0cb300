"""The feed actor: many threads in the one order of their log, so that one position is a cursor over all of them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise
from typing import Any

import pykka
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors import limits
from actors.delivery.channel import AccessEnded
from actors.delivery.connection import Close, Send
from actors.delivery.feed import FeedActor, Replay, Watch
from actors.delivery.publication import EphemeralPublications, Publication, Publications
from actors.runtime.loop_actor import Stage
from tests.actors.house import SLOW, Noted, Wire, access_ended
from tests.builders import settle, until


def line(item: Publication) -> bytes:
    return b"%d\n" % item.position


def publications(channel: str, *positions: int) -> Publications:
    """Events at these positions; their offsets do not matter here."""
    return Publications(channel, [Publication(n, n, "e", b"") for n in positions])


def ephemeral(channel: str, position: int) -> EphemeralPublications:
    return EphemeralPublications(channel, [Publication(0, position, "typing", b"")])


class Feed:
    def __init__(self, stage: Stage) -> None:
        self.wire = Wire()
        self.closed: list[str] = []
        self.behind: list[str] = []
        self.own: list[Publications] = []
        self.actor = FeedActor(
            self.wire,
            encode_one=line,
            on_access_ended=access_ended,
            on_closed=self.closed.extend,
            on_behind=self.behind.append,
            on_own=self.own.append,
        )
        self.ref: pykka.ActorRef[Any] = stage.start(self.actor)

    def tell(self, *messages: Any) -> None:
        for message in messages:
            self.ref.tell(message)

    @property
    def lines(self) -> list[str]:
        return self.wire.lines


@pytest.fixture
async def feed(stage: Stage) -> AsyncIterator[Feed]:
    made = Feed(stage)
    made.tell(Watch(["a", "b"]))
    yield made
    await settle()
    assert made.wire.misuse == []


async def test_nothing_is_written_before_the_replay(feed: Feed) -> None:
    feed.tell(publications("a", 3), publications("b", 4))
    await settle()
    assert feed.lines == []
    feed.tell(Replay(b"1\n2\n3\n", 3))
    await settle()
    assert feed.lines == ["1", "2", "3", "4"]
    feed.tell(publications("a", 5))
    await settle()
    assert feed.lines == ["1", "2", "3", "4", "5"]


async def test_one_commit_in_several_threads_is_written_in_order_of_position(feed: Feed) -> None:
    feed.tell(Replay(b"", 0), publications("a", 1, 4, 6), publications("b", 2, 3, 5))
    await settle()
    assert feed.lines == ["1", "2", "3", "4", "5", "6"]


async def test_what_the_replay_holds_is_not_written_again(feed: Feed) -> None:
    feed.tell(Replay(b"1\n2\n3\n", 3), publications("a", 1, 3), publications("b", 2), publications("b", 4))
    await settle()
    assert feed.lines == ["1", "2", "3", "4"]


async def test_what_is_not_watched_is_left_out(feed: Feed) -> None:
    feed.tell(Replay(b"", 0), publications("c", 1), publications("a", 2))
    await settle()
    assert feed.lines == ["2"]


async def test_more_messages_than_one_turn_takes(feed: Feed) -> None:
    """While more of the same commit may still wait in the inbox, nothing is written."""
    feed.tell(Replay(b"", 0))
    await settle()
    count = limits.TURN_MESSAGES + 10
    for n in range(count):  # the last message has the oldest event
        feed.tell(publications("a" if n % 2 else "b", count - n))
    await settle()
    assert feed.lines == [f"{n}" for n in range(1, count + 1)]


async def test_access_ended_comes_after_the_thread_s_last_event(feed: Feed) -> None:
    feed.tell(Replay(b"", 0), publications("a", 1, 2), AccessEnded("a"), publications("a", 3), publications("b", 4))
    await settle()
    assert feed.lines == ["1", "2", "4", "ended a"] or feed.lines == ["1", "2", "ended a", "4"]
    assert feed.actor.channels == ("b",)


async def test_access_ended_in_one_thread_loses_nothing_of_another_in_the_same_commit(feed: Feed) -> None:
    feed.tell(Replay(b"", 2), publications("a", 3, 6), AccessEnded("a"), publications("b", 4, 5, 7))
    await settle()
    assert [told for told in feed.lines if told != "ended a"] == ["3", "4", "5", "6", "7"]
    assert feed.lines.index("ended a") > feed.lines.index("6")


async def test_access_ended_before_the_replay_is_told_after_it(feed: Feed) -> None:
    feed.tell(publications("a", 3), AccessEnded("a"), publications("b", 4))
    await settle()
    assert feed.lines == []
    feed.tell(Replay(b"1\n2\n", 2))
    await settle()
    assert feed.lines[:2] == ["1", "2"]
    assert sorted(feed.lines) == ["1", "2", "3", "4", "ended a"]
    assert feed.lines.index("ended a") > feed.lines.index("3")


async def test_access_ended_of_what_is_not_watched(feed: Feed) -> None:
    feed.tell(Replay(b"", 0), AccessEnded("c"), AccessEnded("a"), AccessEnded("a"))
    await settle()
    assert feed.lines == ["ended a"]


async def test_the_reader_s_own_log_is_not_written(feed: Feed) -> None:
    feed.actor.own_channel = "user:u"
    own = publications("user:u", 2)
    feed.tell(Replay(b"", 0), publications("a", 1), own, publications("c", 3))
    await settle()
    assert (feed.lines, feed.own) == (["1"], [own])


async def test_ephemeral_events_stand_between_the_events_around_them(feed: Feed) -> None:
    feed.tell(Replay(b"", 0, [ephemeral("a", 0)]), ephemeral("b", 2), ephemeral("c", 2), publications("a", 1, 2, 3))
    await settle()
    assert feed.lines == ["0", "1", "2", "2", "3"]
    assert feed.actor.watches == 2


async def test_a_slow_reader_gets_the_state_of_what_it_missed(feed: Feed) -> None:
    feed.tell(Replay(b"", 0))
    feed.wire.slow = True
    feed.tell(Send(b"x" * (limits.SOCKET_BUFFER_BYTES + 1)))
    await until(lambda: feed.wire.awaits_drain)
    written = len(feed.wire.writes)
    feed.tell(ephemeral("a", 1), ephemeral("b", 1), ephemeral("a", 1), ephemeral("c", 1))
    await settle()
    assert feed.behind == []
    feed.wire.drain()
    await until(lambda: feed.behind)
    assert sorted(feed.behind) == ["a", "b"]
    assert len(feed.wire.writes) == written


async def test_nothing_is_kept_for_a_reader_that_was_closed(feed: Feed) -> None:
    feed.tell(Close(3001, "shutdown"), publications("a", 1), ephemeral("a", 1))
    await settle()
    assert feed.actor._gate._kept == []
    assert not feed.actor.is_open


async def test_a_watcher_hears_what_is_delivered(feed: Feed, stage: Stage) -> None:
    watcher = stage.watcher = Noted()
    feed.tell(Replay(b"", 0), publications("a", 1, 2), publications("c", 3))
    await settle()
    name = feed.actor.actor_urn
    assert watcher.heard == [("delivered", name, [1, 2]), ("wrote", name, len("1\n2\n"))]


async def test_a_replay_that_takes_too_long(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "FEED_EVENTS", 10)
    for n in range(5):
        feed.tell(publications("a", 2 * n + 1, 2 * n + 2))
    await settle()
    assert feed.wire.closed is None
    for n in range(11, 40):
        feed.tell(publications("a", n))
    await settle()
    assert feed.wire.closed == SLOW
    assert len(feed.actor._gate._kept) <= 11


async def test_heartbeats_do_not_wait(feed: Feed) -> None:
    feed.tell(publications("a", 1), Send(b": \n"))
    await settle()
    assert feed.lines == [": "]


async def test_the_end(feed: Feed, stage: Stage) -> None:
    feed.tell(Replay(b"", 0), publications("a", 1), Close(3001, "shutdown"))
    await settle()
    assert feed.wire.closed == (3001, "shutdown")
    feed.actor.stop()
    await settle()
    assert sorted(feed.closed) == ["a", "b"]


@st.composite
def logs(draw: st.DrawFn) -> dict[str, Any]:
    """A log of all threads, in commits; and where in it the replay is read, and told."""
    owners = draw(st.lists(st.sampled_from("aabbx"), max_size=25))
    cuts = sorted(draw(st.sets(st.integers(0, len(owners)), max_size=4)) | {0, len(owners)})
    commits = [range(first, last) for first, last in pairwise(cuts)]
    read_after = draw(st.integers(0, len(commits)))
    told_after = draw(st.integers(0, len(commits)))
    ends = draw(st.sampled_from([None, *range(len(commits))]))
    return {
        "owners": owners,
        "commits": commits,
        "read_after": read_after,
        "told_after": told_after,
        "turns": draw(st.lists(st.booleans(), min_size=len(commits) + 1, max_size=len(commits) + 1)),
        "ends": ends,
    }


def told(commit: Sequence[int], owners: str, ended: bool) -> list[Any]:
    """What the threads tell of one commit: each its own events, in the order in which the commit names the threads."""
    messages: list[Any] = []
    for channel in dict.fromkeys(owners[n] for n in commit):
        messages.append(publications(channel, *(n + 1 for n in commit if owners[n] == channel)))
        if ended and channel == "a":
            messages.append(AccessEnded("a"))
    return messages


@settings(max_examples=300, deadline=None)
@given(logs())
def test_every_event_is_written_once_in_the_one_order(story: dict[str, Any]) -> None:
    owners, commits = story["owners"], story["commits"]
    position = commits[story["read_after"] - 1].stop if story["read_after"] else 0
    seen = [n + 1 for n in range(position) if owners[n] != "x"]

    async def scenario() -> list[str]:
        stage = Stage()
        feed = Feed(stage)
        feed.tell(Watch(["a", "b"]))
        for number, commit in enumerate([*commits, ()]):
            if number == story["told_after"]:
                feed.tell(Replay(b"".join(b"%d\n" % n for n in seen), position))
            feed.tell(*told(commit, owners, number == story["ends"]))
            if story["turns"][number]:
                await settle(3)
        await settle()
        stage.stop_all()
        return feed.lines

    lines = asyncio.run(scenario())
    ended = story["ends"] is not None and any(owners[n] == "a" for n in commits[story["ends"]])
    last_of_a = commits[story["ends"]].stop if ended else len(owners)
    expected = [
        n + 1
        for n in range(len(owners))
        if (n < position and owners[n] != "x") or owners[n] == "b" or (owners[n] == "a" and n < last_of_a)
    ]
    assert [int(line) for line in lines if line != "ended a"] == expected
    assert lines.count("ended a") == ended
    if ended:
        assert not any(owners[int(line) - 1] == "a" for line in lines[lines.index("ended a") + 1 :])
