"""Whether a subscriber gets each event of a thread once and in order."""

from dataclasses import dataclass


@dataclass
class Cursor:
    """Where one subscriber is in one thread. Pure: it is given offsets, and counts what is wrong with them."""

    epoch: str = ""
    offset: int = 0
    missed: int = 0
    """Events that were skipped."""
    doubled: int = 0
    """Events that came again, or late."""

    def take(self, offset: int) -> bool:
        """The offset of an event that came; whether it is new."""
        if offset <= self.offset:
            self.doubled += 1
            return False
        self.missed += offset - self.offset - 1
        self.offset = offset
        return True
