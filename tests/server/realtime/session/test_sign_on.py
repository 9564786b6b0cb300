"""The timer that ends a connection with its token."""

from types import SimpleNamespace
from typing import Any

import pytest

from actors import limits
from server.realtime.session.sign_on import SignOn
from tests.actors.clock import Clock
from tests.builders import identity

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
