"""The user's own channel, which connect subscribes a client to."""

from typing import Any

import pytest

from actors.delivery.channel import Subscribed
from actors.delivery.publication import Publication
from actors.errors import StorageUnavailable
from actors.resources.user_events import UserLogPage
from tests.server.realtime.session.client import ANA, Client

CHANNEL = f"user:{ANA.user.id}"


class Log:
    """The actor of the user, and the readers of their log."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.failure: Exception | None = None
        self.page = UserLogPage((), 9, False)
        self.on_read: Any = lambda: None

    async def ask(self, message: Any) -> Any:
        self.asked.append(message)
        return Subscribed(9, None)

    async def read(self, query: Any) -> UserLogPage:
        self.on_read()
        if self.failure is not None:
            raise self.failure
        return self.page


@pytest.fixture
def log(stranger: Client, monkeypatch: pytest.MonkeyPatch) -> Log:
    made = Log()
    monkeypatch.setattr(stranger.behind.users, "actor", lambda user: made, raising=False)
    monkeypatch.setattr(stranger.behind, "ask", made.read, raising=False)
    found = [Publication(offset, 0, "e", b"%d" % offset) for offset in (8, 9)]
    monkeypatch.setattr("server.realtime.session.sources.user_publications", lambda events: found)
    return made


def connect(**position: Any) -> dict[str, Any]:
    return {"id": 1, "connect": {"token": "ana", "subs": {CHANNEL: position}}}


async def joined(client: Client, **position: Any) -> dict[str, Any]:
    """The subscription in the answer to connect."""
    (answer,) = await client.ask(connect(**position))
    return dict(answer["connect"]["subs"][CHANNEL])


@pytest.mark.usefixtures("log")
async def test_who_comes_back_gets_what_was_missed_with_the_answer(stranger: Client, log: Log) -> None:
    subscription = await joined(stranger, recover=True, epoch=f"epoch of {CHANNEL}", offset=7)
    assert (subscription["recovered"], subscription["offset"]) == (True, 9)
    assert [item["data"] for item in subscription["publications"]] == [8, 9]
    (subscribe,) = log.asked
    assert (subscribe.identity, subscribe.returning) == (ANA, True)
    assert stranger.session.channels == (CHANNEL,)
    assert stranger.behind.users.calls == []


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize("position", [{}, {"recover": False, "offset": 7}, {"recover": 1, "offset": 7}])
async def test_who_does_not_ask_for_it_begins_at_the_head(stranger: Client, position: dict[str, Any]) -> None:
    subscription = await joined(stranger, **position)
    assert subscription["offset"] == 7
    assert "was_recovering" not in subscription
    assert stranger.behind.users.calls == [("join", ANA.user.id)]


async def test_a_log_that_cannot_be_read_keeps_nobody_out(stranger: Client, log: Log) -> None:
    log.failure = StorageUnavailable("The disk is full.")
    subscription = await joined(stranger, recover=True, offset=7)
    assert (subscription["was_recovering"], subscription["offset"]) == (True, 7)
    assert "recovered" not in subscription
    assert stranger.behind.users.calls == [("join", ANA.user.id)]
    assert stranger.session.channels == (CHANNEL,)


async def test_who_has_gone_while_it_could_not_be_read_is_not_joined(stranger: Client, log: Log) -> None:
    log.failure = StorageUnavailable("The disk is full.")
    log.on_read = lambda: stranger.session._connection._stop()
    assert await stranger.ask(connect(recover=True, offset=7)) == []
    assert stranger.behind.users.calls == []


@pytest.mark.usefixtures("log")
async def test_a_position_that_is_none_is_refused(stranger: Client) -> None:
    (answer,) = await stranger.ask(connect(recover=True, offset=-1))
    assert answer["error"]["code"] == 107
