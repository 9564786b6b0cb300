"""The pace of refusals."""

from server.limits.refusals import RefusalPace
from server.limits.token_bucket import Rate


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_those_beyond_the_allowance_wait() -> None:
    clock = Clock()
    pace = RefusalPace(Rate(10.0, 5), clock=clock)
    assert [round(pace.refused("a"), 3) for _ in range(7)] == [0, 0, 0, 0, 0, 0.1, 0.2]
    assert pace.refused("b") == 0.0, "another address has its own"
    clock.now += 0.7
    assert [pace.refused("a") for _ in range(5)] == [0.0] * 5, "it fills again"


def test_no_wait_is_longer_than_the_longest() -> None:
    pace = RefusalPace(Rate(10.0, 5), clock=Clock())
    assert max(pace.refused("a") for _ in range(1000)) == 2.0


def test_a_proxy_and_a_server_without_limits_wait_for_nothing() -> None:
    pace, none = RefusalPace(Rate(1.0, 1), clock=Clock()), RefusalPace(None, clock=Clock())
    assert not any(pace.refused(None) + none.refused("a") for _ in range(10))


def test_addresses_are_forgotten() -> None:
    pace = RefusalPace(Rate(1.0, 1), clock=Clock(), most=2)
    for place in ("a", "b", "c"):
        pace.refused(place)
    assert pace.refused("b") == 1.0
    assert pace.refused("a") == 0.0, "seen longest ago"
