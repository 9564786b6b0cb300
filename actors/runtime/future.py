"""Futures of loop actors: awaitable without blocking, and coroutines driven by them without a task."""

import asyncio
import logging
import sys
import threading
from collections.abc import Callable, Coroutine, Generator
from typing import Any, TypeVar

import pykka

from actors.runtime import asyncio_internals

logger = logging.getLogger("actors.runtime")

T = TypeVar("T")


class BlockingOnEventLoop(RuntimeError):
    """`get()` was called on the event loop that would have to deliver the value."""


class LoopFuture(pykka.Future[T]):
    """A Pykka future of a loop actor: `await` it on the event loop, or `get()` it from another OS thread."""

    trace: object | None = None
    """Of a tracer, which knows by it for whom a command was written; see `actors.tracing`."""
    appended = 0
    """By a tracer: since when the command waits for the journal, in ns since 1970."""

    def __init__(self) -> None:
        # Pykka's own __init__ only sets its get-hook; skipping it halves the cost of an ask.
        self._get_hook = None
        self._callbacks: list[Callable[[LoopFuture[T]], None]] | None = None
        self._error: BaseException | None = None
        self._value: T = None  # type: ignore[assignment]  # until it is done
        self.done = False

    def set(self, value: T | None = None) -> None:
        if self.done:
            raise RuntimeError("the reply was already given")
        self._value = value  # type: ignore[assignment]  # None where T allows it
        self._finish()

    def set_exception(self, exc_info: Any = None) -> None:
        """Take an exception, an `exc_info` triple, or the exception being handled."""
        if self.done:
            raise RuntimeError("the reply was already given")
        error = exc_info if isinstance(exc_info, BaseException) else (exc_info or sys.exc_info())[1]
        self._error = error or RuntimeError("set_exception() without an exception")
        self._finish()

    def _finish(self) -> None:
        """Call the listeners. A failure of one must not keep the other replies of the batch from being given."""
        self.done = True
        callbacks, self._callbacks = self._callbacks, None
        for callback in callbacks or ():
            try:
                callback(self)
            except Exception:
                logger.exception("what listens to a reply failed")

    def when_done(self, callback: Callable[["LoopFuture[T]"], None]) -> None:
        """Call `callback(self)` once the value is there; at once if it is already."""
        if self.done:
            callback(self)
        elif self._callbacks is None:
            self._callbacks = [callback]
        else:
            self._callbacks.append(callback)

    def result(self) -> T:
        """The value, or its exception raised; only once `done`."""
        if self._error is not None:
            try:
                raise self._error
            finally:
                del self  # the error has this frame in its traceback, which would have the error: a cycle
        return self._value

    @property
    def error(self) -> BaseException | None:
        return self._error

    def __await__(self) -> Generator[Any, None, T]:
        if not self.done:
            if _driver.active:
                yield self
            else:
                waiter = asyncio.get_running_loop().create_future()
                self.when_done(lambda _: None if waiter.done() else waiter.set_result(None))
                yield from waiter
        if self._error is not None:
            try:
                raise self._error
            finally:
                del self  # as in `result`
        return self._value

    def get(self, *, timeout: float | None = None) -> T:
        if self._get_hook is not None:  # set by pykka, for `ref.stop()`
            return self._get_hook(timeout)
        if not self.done:
            try:
                asyncio.get_running_loop()
            except RuntimeError:
                self._wait_in_os_thread(timeout)
            else:
                raise BlockingOnEventLoop("get() on the event loop would wait for itself; await the future instead")
        return self.result()

    def _wait_in_os_thread(self, timeout: float | None) -> None:
        arrived = threading.Event()
        self.when_done(lambda _: arrived.set())
        # `done` again: it may have been set before the callback was in its list.
        if not (self.done or arrived.wait(timeout) or self.done):
            raise pykka.Timeout(f"{timeout} seconds")

    def set_get_hook(self, func: Callable[[float | None], T]) -> None:
        self._get_hook = func


class _Driver(threading.local):
    """Whether the coroutine that runs now is driven by `drive`, in this OS thread."""

    active = False


_driver = _Driver()


def drive(work: Coroutine[Any, Any, T], on_done: Callable[[LoopFuture[T]], None]) -> None:
    """Run a coroutine on the event loop without a task: its first step now, each next one as soon as it can.

    For short work that awaits futures of actors and of executors; it has no `asyncio.current_task()`, so no
    `asyncio.timeout()` either, and nobody cancels it. A command over a WebSocket costs half as much as with a task,
    and is answered in the very turn in which its commit arrives.
    """
    outcome: LoopFuture[T] = LoopFuture()
    outcome.when_done(on_done)
    _Work(work, outcome).step()


class _Work:
    """No closure: one that refers to itself, and all it holds, stays until the garbage collector comes round."""

    __slots__ = ("_outcome", "_work")

    def __init__(self, work: Coroutine[Any, Any, Any], outcome: LoopFuture[Any]) -> None:
        self._work = work
        self._outcome = outcome

    def step(self, _: object = None) -> None:
        outer, _driver.active = _driver.active, True
        try:
            awaited = self._work.send(None)
        except StopIteration as stop:
            self._outcome.set(stop.value)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - handed to the caller
            self._outcome.set_exception(error)
            error.__traceback__ = None  # it was logged, where it is news; it has this frame, which has the outcome
        else:
            if isinstance(awaited, LoopFuture):
                awaited.when_done(self.step)
            elif awaited is None:  # a bare yield: `asyncio.sleep(0)`
                asyncio.get_running_loop().call_soon(self.step)
            else:
                asyncio_internals.when_done(awaited, self.step)
        finally:
            _driver.active = outer
