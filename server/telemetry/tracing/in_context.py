"""A coroutine in a context of its own, also where no task runs it (`actors.runtime.future.drive`)."""

from collections.abc import Callable, Coroutine, Generator
from contextvars import Context
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class InContext(Generic[T]):
    """`await InContext(work, context)`: each of its steps sees that context, whatever runs the steps."""

    __slots__ = ("_context", "_work")

    def __init__(self, work: Coroutine[Any, Any, T], context: Context) -> None:
        self._work = work
        self._context = context

    def __await__(self) -> Generator[Any, Any, T]:
        step: Callable[[Any], Any] = self._work.send
        argument: object = None
        while True:
            try:
                awaited = self._context.run(step, argument)
            except StopIteration as stop:
                result: T = stop.value
                return result
            try:
                argument = yield awaited
                step = self._work.send
            except BaseException as error:  # noqa: BLE001 - cancellation, too, is for the work
                step, argument = self._work.throw, error
