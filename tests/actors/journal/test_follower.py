"""The follower: events of this process go out at once only where nothing of another process comes before them."""

from actors.events import Event
from actors.journal.follower import Follower


async def _head() -> tuple[str, int]:
    return "epoch", 0


async def _range(after: int, up_to: int) -> tuple[Event, ...]:
    return ()


def follower() -> Follower:
    return Follower(read_head=_head, read_range=_range, is_busy=lambda: False, publish=lambda events: None)


async def test_it_begins_before_the_first_position() -> None:
    assert follower().committed(1, 3)
    assert not follower().committed(2, 3), "position 1 was taken by another process"


async def test_what_comes_after_a_gap_waits_for_it() -> None:
    following = follower()
    assert following.committed(1, 1)
    assert not following.committed(3, 3)
    assert not following.committed(4, 4), "the gap before it is not read yet"
