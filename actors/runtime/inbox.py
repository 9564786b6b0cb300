"""The inbox of an actor on the event loop, and what stands where the actor was."""

from collections import deque
from typing import Any, Protocol

import pykka
from pykka._envelope import Envelope

from actors.runtime.future import LoopFuture


class Wakes(Protocol):
    """The owner of an inbox."""

    def wake(self, envelope: Envelope[Any]) -> None:
        """A message has arrived."""
        ...


def reply_of(envelope: Envelope[Any]) -> LoopFuture[Any] | None:
    return envelope.reply_to  # type: ignore[return-value]  # Pykka's type; `Ref.ask` makes no other future


class _Gone:
    """Stands where an actor was: a reference that outlives the actor keeps its inbox, and must not keep all of it."""

    __slots__ = ()

    def wake(self, envelope: Envelope[Any]) -> None:
        """What arrives just as the actor stops, from another OS thread."""
        reply = reply_of(envelope)
        if reply is not None:
            reply.set_exception(pykka.ActorDeadError("the actor stopped before handling the message"))


GONE = _Gone()


class LoopInbox:
    """A deque that wakes its actor: Pykka's `put`, on the event loop or from any OS thread."""

    __slots__ = ("actor", "queue")

    actor: Wakes

    def __init__(self) -> None:
        self.queue: deque[Envelope[Any]] = deque()

    def put(self, envelope: Envelope[Any]) -> None:
        self.queue.append(envelope)
        self.actor.wake(envelope)

    def get(self) -> Envelope[Any]:
        return self.queue.popleft()

    def empty(self) -> bool:
        return not self.queue
