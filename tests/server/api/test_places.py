"""In which thread a message stands is read once."""

import pytest

from actors import limits
from actors.resources.messages import GetThreadOf
from server.api.places import Places


class Reads:
    def __init__(self) -> None:
        self.asked: list[str] = []

    async def ask(self, query: GetThreadOf) -> str:
        self.asked.append(query.message_id)
        return f"thread of {query.message_id}"


async def test_it_is_read_once() -> None:
    reads = Reads()
    places = Places(reads)  # type: ignore[arg-type]
    assert [await places.thread_of("m") for _ in range(3)] == ["thread of m"] * 3
    assert reads.asked == ["m"]


async def test_of_what_was_written_just_now_nothing_is_read() -> None:
    reads = Reads()
    places = Places(reads)  # type: ignore[arg-type]
    places.keep("m", "t")
    assert await places.thread_of("m") == "t"
    assert reads.asked == []


async def test_the_oldest_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MESSAGES_PLACED", 2)
    reads = Reads()
    places = Places(reads)  # type: ignore[arg-type]
    for message_id in "abcab":
        await places.thread_of(message_id)
    assert reads.asked == ["a", "b", "c", "a", "b"]
