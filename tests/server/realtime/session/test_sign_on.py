"""Whom a session speaks for, and the timer that ends a connection with its token."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from actors import limits
from actors.errors import Forbidden, StorageUnavailable, TokenExpired
from actors.runtime.loop_actor import Stage
from server.realtime.protocol import codes
from server.realtime.session.sign_on import SignOn
from tests.actors.clock import Clock
from tests.builders import identity, settle
from tests.server.realtime.session.client import ANA, NOW, Behind, Client

PING_SECONDS = 25.0


class Session:
    """Of a user whose token is good for some seconds."""

    def __init__(self, seconds: float) -> None:
        self.identity: Any = identity()
        self.services = SimpleNamespace(hub=SimpleNamespace(ping_seconds=PING_SECONDS))
        self.seconds = seconds
        self.closed: list[tuple[int, str]] = []

    def seconds_until(self, moment: int) -> float:
        return self.seconds

    def close(self, code: int, reason: str) -> None:
        self.closed.append((code, reason))


@pytest.fixture
def clock() -> Clock:
    return Clock()


def signed_on(clock: Clock, session: Session) -> SignOn:
    made: Any = SignOn(session, clock, None, None)  # type: ignore[arg-type]
    made._stop_timer()
    return made  # type: ignore[no-any-return]


def test_who_says_nothing_is_closed(clock: Clock) -> None:
    session = Session(900.0)
    SignOn(session, clock, None, None)  # type: ignore[arg-type]
    clock.advance(limits.CONNECT_SECONDS)
    assert len(session.closed) == 1


def test_a_token_with_time_left_has_no_timer(clock: Clock) -> None:
    signed_on(clock, Session(limits.PINGS_BEFORE_EXPIRY * PING_SECONDS)).look()
    assert clock.pending == []


def test_one_that_nearly_expires_has_one_however_often_it_is_looked_at(clock: Clock) -> None:
    session = Session(limits.PINGS_BEFORE_EXPIRY * PING_SECONDS - 1.0)
    sign_on = signed_on(clock, session)
    sign_on.look()
    sign_on.look()
    assert len(clock.pending) == 1
    clock.advance(session.seconds)
    assert session.closed == [(3005, "connection expired")]


def test_nobody_who_is_not_known_expires(clock: Clock) -> None:
    session = Session(1.0)
    session.identity = None
    signed_on(clock, session).look()
    assert clock.pending == []


def test_a_socket_that_has_gone_takes_no_connection_of_its_user(clock: Clock) -> None:
    sign_on = signed_on(clock, Session(900.0))
    sign_on.end()
    assert not sign_on._sit(1)


# Connect

CONNECT = {"id": 1, "connect": {}}


async def test_connect_answers_who_and_where_it_is(stage: Stage, behind: Behind) -> None:
    behind.tokens["ana"] = replace(ANA, expires_at=NOW + limits.TOKEN_LEEWAY_SECONDS + 60)
    client = Client(stage, behind, session_id="secret")
    channel = f"user:{ANA.user.id}"
    (answer,) = await client.ask({"id": 1, "connect": {"token": "ana", "name": "js"}})
    assert answer == {
        "id": 1,
        "connect": {
            "client": client.session.client_id, "version": "experience-server 1.2", "ping": 25, "pong": True,
            "node": "node-1", "session": "secret", "expires": True, "ttl": 60,
            "subs": {
                channel: {"recoverable": True, "positioned": True, "epoch": f"epoch of {channel}", "offset": 7},
            },
        },
    }  # fmt: skip
    assert behind.users.calls == [("join", ANA.user.id)]
    assert behind.activity.named("came") == [(1, client.session)]


async def test_a_cookie_s_token_does_not_expire_for_its_client_and_goes_after_that_of_the_command(
    stage: Stage, behind: Behind
) -> None:
    behind.tokens["bo"] = identity(2)
    by_cookie, by_both = Client(stage, behind, token="ana"), Client(stage, behind, token="bo")
    (answer,) = await by_cookie.ask(CONNECT)
    assert not {"expires", "ttl", "session"} & answer["connect"].keys()
    await by_both.connect("ana")
    assert by_cookie.session.identity is by_both.session.identity is ANA


@pytest.mark.parametrize(
    ("token", "closed"),
    [
        (None, (3500, "invalid token: send one with connect, or a cookie with the upgrade")),
        (5, (3500, "invalid token: send one with connect, or a cookie with the upgrade")),
        ("unknown", codes.INVALID_TOKEN), ("forbidden", (3507, "domain_not_allowed")),
    ],
)  # fmt: skip
async def test_who_is_not_known_is_closed(stranger: Client, token: Any, closed: tuple[int, str]) -> None:
    stranger.behind.failures["forbidden"] = Forbidden("Not here.", code="domain_not_allowed")
    assert await stranger.ask({"id": 1, "connect": {"token": token}}) == []
    assert stranger.wire.closed == closed


async def test_what_ends_by_itself_is_answered(stranger: Client) -> None:
    stranger.behind.failures |= {"expired": TokenExpired("It has expired."), "disk": StorageUnavailable("It is full.")}
    errors = [(await stranger.ask({"id": 1, "connect": {"token": token}}))[0]["error"] for token in ("expired", "disk")]
    assert [(error["code"], error.get("temporary", False)) for error in errors] == [(109, False), (100, True)]
    await stranger.connect()


async def test_a_client_connects_once(client: Client) -> None:
    assert await client.ask(CONNECT) == []
    assert client.wire.closed == (3501, "bad request: connected already")


async def test_an_identity_that_has_ended_meanwhile_is_asked_for_again(
    stranger: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    behind, answers = stranger.behind, [replace(ANA, user=replace(ANA.user, name="before")), ANA]

    async def identify(token: str, address: str) -> Any:
        return answers.pop(0)

    monkeypatch.setattr(behind, "identify", identify)
    await stranger.connect()
    assert stranger.session.identity is ANA


async def test_a_socket_that_goes_while_its_token_is_judged_leaves_nothing(
    stranger: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def identify(token: str, address: str) -> Any:
        stranger.session.end()
        return ANA

    monkeypatch.setattr(stranger.behind, "identify", identify)
    assert await stranger.ask({"id": 1, "connect": {"token": "ana"}}) == []
    assert (len(stranger.behind.hub.users), stranger.behind.activity.calls) == (0, [])


async def test_an_api_key_that_may_not_read_gets_no_channel(stage: Stage, behind: Behind) -> None:
    behind.tokens["key"] = replace(ANA, scopes=frozenset({"write"}))
    (answer,) = await Client(stage, behind).ask({"id": 1, "connect": {"token": "key"}})
    assert "subs" not in answer["connect"]
    assert behind.users.calls == []


async def test_its_carrier_learns_its_user(stage: Stage, behind: Behind) -> None:
    carrier: Any = SimpleNamespace(user_key=None)
    await Client(stage, behind, carrier=carrier).connect()
    assert carrier.user_key == ANA.user.key


async def test_a_token_that_was_not_seen_lately_is_noted(stranger: Client) -> None:
    noted: list[Any] = []
    stranger.behind.seen_tokens = SimpleNamespace(is_due=lambda who: True, note=lambda *given: noted.append(given))
    await stranger.connect()
    assert noted == [(ANA, stranger.session.peer)]


# Refresh


async def test_a_new_token_takes_the_place_of_the_old_one(client: Client) -> None:
    client.behind.tokens["new"] = replace(ANA, expires_at=NOW + limits.TOKEN_LEEWAY_SECONDS + 5)
    assert await client.ask({"id": 2, "refresh": {"token": "new"}}) == [
        {"id": 2, "refresh": {"client": client.session.client_id, "version": "1.2", "expires": True, "ttl": 5}}
    ]
    assert client.session.identity is client.behind.tokens["new"]
    assert len(client.behind.activity.named("came")) == 1, "it was there before"
    assert client.session._sign_on._timer is not None, "it nearly expires"


@pytest.mark.parametrize("token", [None, "", 5])
async def test_refresh_needs_a_token(client: Client, token: Any) -> None:
    assert await client.code({"refresh": {"token": token}}) == 107
    assert client.wire.closed is None


async def test_a_token_that_is_no_good_ends_it(client: Client) -> None:
    assert await client.ask({"id": 2, "refresh": {"token": "unknown"}}) == []
    assert client.wire.closed == codes.INVALID_TOKEN


async def test_another_user_s_token_ends_it(client: Client) -> None:
    client.behind.tokens["bo"] = identity(2)
    await client.ask({"id": 2, "refresh": {"token": "bo"}})
    assert client.wire.closed == (3500, "invalid token: it is another user's")
    assert client.session.identity is ANA


READS, WRITES = frozenset({"read"}), frozenset({"write"})
ROOT = identity(1, role="ADMIN")


@pytest.mark.parametrize(
    ("before", "after", "ends"),
    [
        (ROOT, ANA, True), (ROOT, ROOT, False), (ANA, ROOT, False), (ANA, replace(ANA, scopes=WRITES), True),
        (ANA, replace(ANA, scopes=READS), False), (replace(ANA, scopes=WRITES), replace(ANA, scopes=WRITES), False),
    ],
)  # fmt: skip
async def test_with_fewer_rights_a_client_comes_back(
    stage: Stage, behind: Behind, before: Any, after: Any, ends: bool
) -> None:
    behind.tokens |= {"ana": before, "new": after}
    client = await Client(stage, behind).connect()
    await client.ask({"id": 2, "refresh": {"token": "new"}})
    await settle()
    assert client.wire.closed == (codes.EXPIRED if ends else None)
    assert client.session.identity is (before if ends else after)
