"""Pings of one connection: what counts as an answer."""

from actors import limits
from server.realtime.session.heartbeat import Heartbeat


def test_any_frame_after_a_ping_answers_it() -> None:
    heartbeat = Heartbeat(100.0)
    assert (heartbeat.is_waiting, heartbeat.is_lost) == (False, False)
    assert heartbeat.pinged(110.0) == limits.PONG_SECONDS
    assert (heartbeat.is_waiting, heartbeat.is_lost) == (True, True)
    heartbeat.last_frame = 110.0
    assert (heartbeat.is_waiting, heartbeat.is_lost) == (True, False)
    assert heartbeat.answered(25.0) == 25.0 - limits.PONG_SECONDS
    assert (heartbeat.is_waiting, heartbeat.is_lost) == (False, False)
