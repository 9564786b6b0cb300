"""What channels are to a session: which source a name has, and what of its log was missed."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from actors import limits
from actors.delivery.channel import ListPresent, Subscribe, Subscribed, Unsubscribe
from actors.delivery.publication import Publication
from actors.events import LogPage
from actors.identifiers import new_id
from actors.resources.user_events import UserLogPage
from actors.threads.message_streams import SendEphemeralState
from server.realtime.protocol.codes import Refused
from server.realtime.session.artifact_source import ArtifactSource
from server.realtime.session.source import HistoryPage, LogSource, Since
from server.realtime.session.sources import LiveSource, ThreadSource, UserSource, leave, send_state, source_of
from tests.builders import message_event
from tests.server.realtime.session.client import ANA, Behind, Client

HEAD = Subscribed(400, None)
CONNECTION: Any = object()


# A log


class Log(LogSource):
    """Notes what is read of it."""

    def __init__(self) -> None:
        self.read: list[tuple[Any, ...]] = []

    @property
    def _epoch(self) -> str:
        return "here"

    def actor(self) -> Any:
        raise AssertionError("nobody subscribes")

    async def _between(self, offset: int, head: int) -> list[Publication] | None:
        self.read.append((offset, head))
        return None

    async def _page(self, offset: int, limit: int, reverse: bool) -> HistoryPage:
        self.read.append((offset, limit, reverse))
        return HistoryPage([], "here", 400)


@pytest.mark.parametrize(
    ("since", "missed", "is_read"),
    [
        (Since("here", 400), [], False), (Since("", 400), [], False), (Since("there", 400), None, False),
        (Since("here", 401), None, False), (Since("here", 399), None, True),
        (Since("here", 400 - limits.RECOVERY_EVENTS), None, True),
        (Since("here", 399 - limits.RECOVERY_EVENTS), None, False),
    ],
)  # fmt: skip
async def test_a_log_is_read_from_a_position_that_is_near(since: Since, missed: Any, is_read: bool) -> None:
    log = Log()
    assert await log.missed(since, HEAD) == missed
    assert log.read == ([(since.offset, 400)] if is_read else [])


async def test_a_history_begins_where_it_is_asked_for() -> None:
    log = Log()
    await log.history(None, 5, reverse=True)
    await log.history(Since("here", 7), 5, reverse=False)
    assert log.read == [(0, 5, True), (7, 5, False)]
    with pytest.raises(Refused) as refusal:
        await log.history(Since("there", 7), 5, reverse=False)
    assert refusal.value.code == 112


# Those of the server


@pytest.fixture
def asked(client: Client, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is asked of the readers; a test appends the answers to `pages`."""
    queries: list[Any] = []

    async def ask(query: Any) -> Any:
        queries.append(query)
        return client.behind.pages.pop(0)  # type: ignore[attr-defined]

    monkeypatch.setattr(client.behind, "ask", ask, raising=False)
    monkeypatch.setattr(client.behind, "pages", [], raising=False)
    return queries


def session(client: Client) -> Any:
    return client.session


async def test_a_name_says_what_kind_of_channel_it_is(client: Client, stranger: Client) -> None:
    found = [
        source_of(session(client), {"channel": name})
        for name in (f"thread:{new_id()}", f"user:{ANA.user.id}", f"artifact:{new_id()}", "open.a")
    ]
    assert [type(source) for source in found] == [ThreadSource, UserSource, ArtifactSource, LiveSource]
    assert [source.expires_at for source in found] == [None] * 4
    for name, code in ((f"user:{ANA.user.id}", 103), (f"artifact:{new_id()}", 102)):
        with pytest.raises(Refused) as refusal:
            source_of(session(stranger), {"channel": name})
        assert refusal.value.code == code


@pytest.mark.parametrize(
    ("more", "is_whole", "most", "is_recovered"),
    [(False, True, 0, True), (True, True, 0, False), (False, False, 0, False), (False, True, -1, False)],
)
async def test_what_a_user_missed_is_delivered_whole_or_not_at_all(
    client: Client, asked: list[Any], monkeypatch: pytest.MonkeyPatch, more: bool, is_whole: bool, most: int,
    is_recovered: bool,
) -> None:  # fmt: skip
    found = [Publication(n, 0, "e", b"x" * 10) for n in (3, 4)]
    monkeypatch.setattr("server.realtime.session.sources.user_publications", lambda events: found)
    monkeypatch.setattr(limits, "RECOVERY_BYTES", 20 + most)
    client.behind.pages = [UserLogPage((), 4, more, is_whole)]  # type: ignore[attr-defined]
    source = UserSource(session(client), ANA)
    assert await source.missed(Since("", 2), Subscribed(4, None)) == (found if is_recovered else None)
    (query,) = asked
    assert (query.user_key, query.offset, query.up_to, query.limit) == (1, 2, 4, limits.RECOVERY_EVENTS)


async def test_pages_of_a_user_s_log(client: Client, asked: list[Any]) -> None:
    client.behind.pages = [UserLogPage((), 9, False)]  # type: ignore[attr-defined]
    page = await UserSource(session(client), ANA).history(Since("", 5), 3, reverse=True)
    assert page == HistoryPage([], f"epoch of user:{ANA.user.id}", 9)
    (query,) = asked
    assert (query.offset, query.limit, query.reverse) == (5, 3, True)


class Artifact:
    """A channel of an artifact, and what its readers answer."""

    def __init__(self, client: Client) -> None:
        services: Any = client.behind
        self.source = ArtifactSource(services, ANA, "a")

    async def missed(self, since: Since) -> list[int] | None:
        found = await self.source.missed(since, HEAD)
        return None if found is None else [item.offset for item in found]


@pytest.mark.parametrize(
    ("since", "more", "most", "offsets"),
    [
        (Since("", 2), False, 0, [3, 4]), (Since("epoch of artifact:a", 2), False, 0, [3, 4]),
        (Since("", 2), True, 0, None), (Since("", 2), False, -1, None),
    ],
)  # fmt: skip
async def test_what_was_missed_of_an_artifact_is_delivered_whole_or_not_at_all(
    client: Client, asked: list[Any], monkeypatch: pytest.MonkeyPatch, since: Since, more: bool, most: int,
    offsets: list[int] | None,
) -> None:  # fmt: skip
    found = [Publication(n, 0, "e", b"x" * 10) for n in (3, 4)]
    monkeypatch.setattr("server.realtime.session.artifact_source.publications", lambda events: found)
    monkeypatch.setattr(limits, "RECOVERY_BYTES", 20 + most)
    client.behind.pages = [LogPage("e", (), 400, 400, more)]  # type: ignore[attr-defined]
    assert await Artifact(client).missed(since) == offsets
    (query,) = asked
    assert (query.artifact_id, query.offset, query.up_to, query.limit) == ("a", 2, 400, limits.RECOVERY_EVENTS)


@pytest.mark.parametrize("since", [Since("another", 2), Since("", 401)])
async def test_of_another_log_or_from_after_its_head_nothing_was_missed_of_an_artifact(
    client: Client, asked: list[Any], since: Since
) -> None:
    assert await Artifact(client).missed(since) is None
    assert asked == []


async def test_pages_of_an_artifact_s_log(client: Client, asked: list[Any]) -> None:
    source = Artifact(client).source
    client.behind.pages = [LogPage("e", (), 9, 9, False)] * 2  # type: ignore[attr-defined]
    for since in (None, Since("epoch of artifact:a", 5)):
        assert await source.history(since, 3, reverse=True) == HistoryPage([], "epoch of artifact:a", 9)
    assert [(query.offset, query.limit, query.reverse) for query in asked] == [(0, 3, True), (5, 3, True)]
    for refused, code in ((source.history(Since("another", 5), 3, reverse=True), 112), (source.publish(1), 103)):
        with pytest.raises(Refused) as refusal:
            await refused
        assert refusal.value.code == code


class Thread:
    """In place of its actor."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    async def ask(self, message: Any) -> Any:
        self.asked.append(message)
        return [] if isinstance(message, ListPresent) else HEAD


async def test_the_channel_of_an_artifact_is_joined_in_its_thread(client: Client, asked: list[Any]) -> None:
    thread, found = Thread(), SimpleNamespace(id="a", thread_id="t")
    client.behind.directory = SimpleNamespace(thread_of_artifact=lambda *ids: thread if ids == ("a", "t") else None)  # type: ignore[assignment]
    client.behind.pages = [found] * 3  # type: ignore[attr-defined]
    source = Artifact(client).source
    ask = Subscribe(ANA, CONNECTION)
    assert await source.subscribe(ask) == HEAD
    assert len(asked) == 2, "it may have been deleted meanwhile"
    assert not any(query.with_content for query in asked)
    assert await source.present() == []
    assert thread.asked == [replace(ask, artifact_id="a"), ListPresent(ANA, "a")]


async def test_who_is_present_is_asked_of_the_actor_of_the_channel(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread, own = Thread(), Thread()
    client.behind.directory = SimpleNamespace(thread=lambda thread_id: thread if thread_id == "t" else None)  # type: ignore[assignment]
    monkeypatch.setattr(client.behind.users, "actor", lambda who: own if who is ANA.user else None, raising=False)
    for source, actor in ((ThreadSource(session(client), "t"), thread), (UserSource(session(client), ANA), own)):
        assert await source.present() == []
        assert actor.asked == [ListPresent(ANA)]


async def test_a_message_is_published_in_the_thread_of_its_channel(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[Any] = []

    async def run(operation: Any, data: Any) -> bytes:
        ran.append((operation.name, data))
        return b"{}"

    monkeypatch.setattr(client.session, "run", run)
    source = ThreadSource(session(client), "t")
    for data in ({"content": "x", "thread_id": "another"}, b'{"content":"y"}', 5):
        await source.publish(data)
    assert ran == [
        ("create_message", {"content": "x", "thread_id": "t"}), ("create_message", {"content": "y", "thread_id": "t"}),
        ("create_message", 5),
    ]  # fmt: skip


async def test_pages_and_what_was_missed_of_a_thread(client: Client, asked: list[Any]) -> None:
    missed: list[Any] = []

    async def of_recovery(*given: Any) -> Any:
        missed.append(given)
        return []

    client.behind.recovery = SimpleNamespace(missed=of_recovery)  # type: ignore[attr-defined]
    client.behind.pages = [LogPage("e", (message_event(3),), 9, 9, False)]  # type: ignore[attr-defined]
    source = ThreadSource(session(client), "t")
    page = await source.history(Since("epoch of thread:t", 5), 3, reverse=True)
    assert ([item.offset for item in page.publications], page.epoch, page.head) == ([3], "epoch of thread:t", 9)
    (query,) = asked
    assert (query.thread_id, query.offset, query.limit, query.reverse) == ("t", 5, 3, True)
    assert await source.missed(Since("", 399), HEAD) == []
    assert missed == [(ANA, "t", 399, 400)]


# Leaving, and the state of the moment


@pytest.mark.parametrize(
    ("channel", "who", "directory", "users"),
    [
        ("thread:t", ANA, [("tell_if_live", "t", Unsubscribe(CONNECTION))], []),
        ("artifact:a", ANA, [("leave_artifact", "a", CONNECTION)], []),
        ("user:u", ANA, [], [("leave", 1, CONNECTION)]), ("user:u", None, [], []), ("open.a", ANA, [], []),
    ],
)  # fmt: skip
async def test_who_leaves_is_unsubscribed_where_the_channel_is(
    behind: Behind, channel: str, who: Any, directory: list[Any], users: list[Any]
) -> None:
    services: Any = behind
    leave(services, channel, CONNECTION, who)
    assert (behind.directory.calls, behind.users.calls) == (directory, users)


@pytest.mark.parametrize(
    ("channel", "who", "directory", "users"),
    [
        ("thread:t", ANA, [("tell_if_live", "t", SendEphemeralState(CONNECTION))], []),
        ("user:u", ANA, [], [("send_unread", 1, CONNECTION)]), ("user:u", None, [], []), ("open.a", ANA, [], []),
    ],
)  # fmt: skip
async def test_who_fell_behind_gets_the_state_where_there_is_one(
    behind: Behind, channel: str, who: Any, directory: list[Any], users: list[Any]
) -> None:
    services: Any = behind
    send_state(services, channel, CONNECTION, who)
    assert (behind.directory.calls, behind.users.calls) == (directory, users)
