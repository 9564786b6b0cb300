"""Hand-overs that are not completed. With real processes: tests/end_to_end/test_handover.py."""

from typing import Any

from cli.serving.handover.handovers import Handovers


class Successor:
    def __init__(self) -> None:
        self.has_ended = 0

    async def end(self) -> None:
        self.has_ended += 1


async def test_a_server_that_stops_ends_the_one_that_was_ready() -> None:
    """Also where it was told to stop in the moment in which it began to make room: else the new one goes on alone."""
    unused: Any = None
    for is_taken in (False, True):
        ready: Any = Successor()
        async with Handovers(unused, unused, "1.0.0") as handovers:
            handovers._ready.put_nowait(ready)
            if is_taken:
                assert await handovers.wanted() is ready
        assert ready.has_ended == 1
