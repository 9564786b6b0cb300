"""Unhandled exceptions, grouped by where they were raised: counted, with their last occurrences.

A group keeps the type of the exception and its place in the code. It never keeps the message of the exception,
which may quote what a client sent.
"""

import hashlib
import logging
import time
import traceback
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from actors import limits

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Occurrence:
    at: int
    """Milliseconds since 1970."""
    correlation_id: str


@dataclass(slots=True)
class ErrorGroup:
    fingerprint: str
    kind: str
    """Class of the exception."""
    logger: str
    frames: tuple[str, ...]
    """`module.py:line in function`, the innermost last."""
    first_at: int
    count: int = 0
    last: deque[Occurrence] = field(default_factory=lambda: deque(maxlen=limits.ERROR_OCCURRENCES))
    """The newest last."""


class ErrorGroups:
    """Bounded: beyond `actors.limits.ERROR_GROUPS` the group that was seen least recently is forgotten."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._groups: OrderedDict[str, ErrorGroup] = OrderedDict()
        self.total = 0
        """Since the start."""
        self.on_error: Callable[[BaseException, str, str], None] = lambda error, fingerprint, correlation_id: None
        """Called with each, and where it was counted."""

    def restore(self, groups: Sequence[ErrorGroup]) -> None:
        """Groups of a process before, the most recently seen first."""
        for group in reversed(groups[: limits.ERROR_GROUPS]):
            self._groups.setdefault(group.fingerprint, group)

    def note(self, error: BaseException, logger: str, correlation_id: str) -> None:
        at, kind = int(self._clock() * 1000), type(error).__qualname__
        frames = tuple(_frames(error.__traceback__))
        fingerprint = _fingerprint(kind, frames)
        group = self._groups.pop(fingerprint, None) or ErrorGroup(fingerprint, kind, logger, frames, at)
        self._groups[fingerprint] = group
        group.count += 1
        group.last.append(Occurrence(at, correlation_id))
        self.total += 1
        if len(self._groups) > limits.ERROR_GROUPS:
            self._groups.popitem(last=False)
        self.on_error(error, fingerprint, correlation_id)

    @property
    def groups(self) -> list[ErrorGroup]:
        """The most recently seen first."""
        return list(reversed(self._groups.values()))


def _frames(trace: TracebackType | None) -> list[str]:
    found = traceback.extract_tb(trace)[-limits.ERROR_FRAMES :]
    return [f"{_shown(frame.filename)}:{frame.lineno} in {frame.name}" for frame in found]


def _shown(filename: str) -> str:
    path = Path(filename)
    if path.is_relative_to(ROOT):
        return str(path.relative_to(ROOT))
    return "/".join(path.parts[-2:])


def _fingerprint(kind: str, frames: tuple[str, ...]) -> str:
    """Without line numbers: the same defect in the next version is the same group."""
    places = [frame.partition(":")[0] + frame.partition(" in ")[1] + frame.partition(" in ")[2] for frame in frames]
    return hashlib.blake2b("\n".join([kind, *places]).encode(), digest_size=8).hexdigest()


class ErrorHandler(logging.Handler):
    """Notes each exception that is logged as an error, wherever it was raised."""

    def __init__(self, groups: ErrorGroups, correlation_id: Callable[[], str]) -> None:
        super().__init__(logging.ERROR)
        self._groups = groups
        self._correlation_id = correlation_id

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            self._groups.note(error, record.name, self._correlation_id())
