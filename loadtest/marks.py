"""The moment at which a message was due, written into its text: whoever gets it knows how long it took."""

import re
import time

_MARK = re.compile(r"due=(\d+\.\d{6}) run=([0-9a-f]{8}) ")


def marked(run: str, due: float, characters: int) -> str:
    """A text of this many characters, at least those of its mark. `due` is on this process's clock."""
    return f"due={due:.6f} run={run} ".ljust(characters, "x")


def due_of(run: str, text: object) -> float | None:
    """None where the text is not of this run: another's clock says nothing here."""
    found = _MARK.match(text) if isinstance(text, str) else None
    return float(found[1]) if found and found[2] == run else None


def now() -> float:
    return time.perf_counter()
