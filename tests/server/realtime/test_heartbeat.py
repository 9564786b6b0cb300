"""Pings: a connection is lost where nothing came since the last one, and anything counts."""

from actors import limits
from server.realtime.session.heartbeat import Heartbeat

EVERY = 25.0


def test_a_client_that_says_nothing_is_lost() -> None:
    heartbeat = Heartbeat(0.0)
    assert not heartbeat.is_waiting
    assert heartbeat.pinged(10.0) == limits.PONG_SECONDS
    assert heartbeat.is_waiting
    assert heartbeat.is_lost


def test_any_frame_answers_a_ping() -> None:
    heartbeat = Heartbeat(0.0)
    heartbeat.pinged(10.0)
    heartbeat.last_frame = 10.0
    assert not heartbeat.is_lost
    assert heartbeat.answered(EVERY) == EVERY - limits.PONG_SECONDS
    assert not heartbeat.is_waiting


def test_before_the_first_ping_silence_is_no_loss() -> None:
    assert not Heartbeat(0.0).is_lost
