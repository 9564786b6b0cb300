"""References to actors on the event loop: Pykka's, with answers that the type checker knows."""

from typing import Any, Literal, TypeVar, overload

import pykka
from pykka._envelope import Envelope

from actors.asks import Asks
from actors.commands import Makes
from actors.outcomes import Done
from actors.runtime.future import LoopFuture

T = TypeVar("T")


class Stopped:
    """The part of `threading.Event` that Pykka uses, without its lock and condition (1.1 KiB an actor)."""

    __slots__ = ("flag",)

    def __init__(self) -> None:
        self.flag = False

    def is_set(self) -> bool:
        return self.flag

    def set(self) -> None:
        self.flag = True


class Ref(pykka.ActorRef[Any]):
    """`await ref.ask(ListPresent(identity))` is of the type that `ListPresent` says; nothing blocks the event loop."""

    actor_stopped: Stopped  # type: ignore[assignment]  # the two methods that Pykka uses

    def tell(self, message: object) -> None:
        """Raises `pykka.ActorDeadError` where the actor has stopped. Pykka's own makes three calls more, and each
        delivery to a subscriber is a `tell`."""
        if self.actor_stopped.flag:
            raise pykka.ActorDeadError(f"{self} not found")
        self.actor_inbox.put(Envelope(message))

    @overload  # type: ignore[override]  # Pykka's answers Any, and blocks
    def ask(self, message: Asks[T]) -> LoopFuture[T]: ...

    @overload
    def ask(self, message: Makes[T]) -> LoopFuture[Done[T]]: ...

    def ask(self, message: Any, *, block: Literal[False] = False) -> LoopFuture[Any]:
        """The future has an error where the actor has stopped, or raises. `block` is there for Pykka's `stop()`."""
        future: LoopFuture[Any] = LoopFuture()
        if self.actor_stopped.flag:
            future.set_exception(pykka.ActorDeadError(f"{self} not found"))
        else:
            self.actor_inbox.put(Envelope(message, reply_to=future))
        return future
