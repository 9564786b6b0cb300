"""An event loop's clock that a test moves by hand."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(eq=False)
class Timer:
    at: float
    callback: Callable[..., Any]
    arguments: tuple[Any, ...]
    is_cancelled: bool = False

    def cancel(self) -> None:
        self.is_cancelled = True


class Clock:
    """`time` and `call_later` of a loop; nothing runs until `advance`."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self._timers: list[Timer] = []

    def time(self) -> float:
        return self.now

    def call_later(self, seconds: float, callback: Callable[..., Any], *arguments: Any) -> Timer:
        timer = Timer(self.now + seconds, callback, arguments)
        self._timers.append(timer)
        return timer

    @property
    def pending(self) -> list[Timer]:
        return [timer for timer in self._timers if not timer.is_cancelled]

    def advance(self, seconds: float) -> None:
        """All timers that are due meanwhile are called at their time, in order."""
        end = self.now + seconds
        while due := [timer for timer in self.pending if timer.at <= end]:
            first = min(due, key=lambda timer: timer.at)
            self._timers.remove(first)
            self.now = first.at
            first.callback(*first.arguments)
        self.now = end
