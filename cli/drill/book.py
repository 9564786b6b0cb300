"""What clients were promised, and whether the server kept it. Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass
class Book:
    promised: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Content → (id, offset) of the message that the server said it has."""
    contradicted: int = 0
    """Contents that were answered as two messages."""
    refusals: Counter[str] = field(default_factory=Counter)
    """Error code → how often a writer met it. Each was tried again, with the same idempotency key."""

    def note(self, content: str, message_id: str, offset: int) -> None:
        if self.promised.setdefault(content, (message_id, offset)) != (message_id, offset):
            self.contradicted += 1

    def compare(self, found: Iterable[tuple[str, str, int]]) -> tuple[int, int]:
        """(lost, doubled), against (content, id, offset) of all messages of the log."""
        held: dict[str, set[tuple[str, int]]] = {}
        count: Counter[str] = Counter()
        for content, message_id, offset in found:
            held.setdefault(content, set()).add((message_id, offset))
            count[content] += 1
        lost = sum(known not in held.get(content, ()) for content, known in self.promised.items())
        doubled = sum(times > 1 for times in count.values())
        return lost, doubled + self.contradicted


def gaps(offsets: Iterable[int]) -> int:
    """Offsets that are not one more than the one before, from 1 on."""
    return sum(offset != expected for expected, offset in enumerate(offsets, 1))
