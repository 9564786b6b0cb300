"""References to actors on the event loop: Pykka's, with answers that the type checker knows."""

from typing import Any, Literal, TypeVar, overload

import pykka
from pykka._envelope import Envelope

from actors.asks import Asks
from actors.commands import Makes
from actors.outcomes import Done
from actors.runtime.future import LoopFuture

T = TypeVar("T")


class Ref(pykka.ActorRef[Any]):
    """`await ref.ask(ListPresent(identity))` is of the type that `ListPresent` says; nothing blocks the event loop."""

    @overload  # type: ignore[override]  # Pykka's answers Any, and blocks
    def ask(self, message: Asks[T]) -> LoopFuture[T]: ...

    @overload
    def ask(self, message: Makes[T]) -> LoopFuture[Done[T]]: ...

    def ask(self, message: Any, *, block: Literal[False] = False) -> LoopFuture[Any]:
        """The future has an error where the actor has stopped, or raises. `block` is there for Pykka's `stop()`."""
        future: LoopFuture[Any] = LoopFuture()
        if self.actor_stopped.is_set():
            future.set_exception(pykka.ActorDeadError(f"{self} not found"))
        else:
            self.actor_inbox.put(Envelope(message, reply_to=future))
        return future
