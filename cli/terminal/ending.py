"""How a signal ends a command."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

ENDS = (signal.SIGTERM, signal.SIGHUP)
"""`systemctl stop`, `timeout`, a shutdown; a terminal or an SSH connection that is lost."""


@contextlib.contextmanager
def orderly() -> Iterator[None]:
    """`ENDS` end the process as Ctrl-C does: what is half-written goes. What ignores them (`nohup`) goes on to."""
    with _handled({number: _end for number in ENDS if signal.getsignal(number) == signal.SIG_DFL}):
        yield


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """All of them end the process at once, also in the middle of a long query. For what only reads."""
    numbers = [number for number in ENDS if signal.getsignal(number) == _end]
    with _handled(dict.fromkeys([signal.SIGINT, *numbers], signal.SIG_DFL)):
        yield


def _end(number: int, _: FrameType | None) -> None:
    """Once: a terminal that is closed sends it twice, and a second SIGTERM is meant."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    raise SystemExit(128 + number)


@contextlib.contextmanager
def _handled(handlers: dict[signal.Signals, Callable[..., Any] | signal.Handlers]) -> Iterator[None]:
    """In the main OS thread, which alone may."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
