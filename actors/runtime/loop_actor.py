"""Pykka actors that live on the event loop: no OS thread and no task of their own.

A `LoopActor` is a `pykka.Actor`: the same `tell`, `ask` and hooks, answers of known types. What differs:

- its inbox is a deque; the first message schedules one turn, which handles what has arrived, one message at a time, to
  completion. Handlers never await; slow work runs elsewhere and its result arrives as a message.
- turns that serve a crowd have low priority (`run_queue.py`), so that a reply does not wait for all of them.
- `ref.ask(message)` answers a `LoopFuture`, which is awaitable without blocking. Waiting for it with `get()` on the
  event loop would be a deadlock, so it raises there instead.
- a handler may keep the reply for later with `defer()` (a write that is answered after its commit), and an actor may
  `hold()` its inbox while it loads.
- an exception in a handler is the reply to its caller, or is logged; it never stops the actor. One bad message must not
  end a conversation.
- actors are kept in the `Stage` that started them, a dict, not in Pykka's `ActorRegistry`, whose list makes the stop of
  each of ten thousand actors a scan of all others.
"""

import asyncio
import itertools
import logging
import threading
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar

import pykka
from pykka import messages as pykka_messages
from pykka._envelope import Envelope

from actors import limits
from actors.errors import Internal, XpError
from actors.measures import Measures
from actors.runtime.future import BlockingOnEventLoop as BlockingOnEventLoop
from actors.runtime.future import LoopFuture as LoopFuture
from actors.runtime.future import drive as drive
from actors.runtime.inbox import GONE, LoopInbox, reply_of
from actors.runtime.reference import Ref as Ref
from actors.runtime.reference import Stopped
from actors.runtime.run_queue import RunQueue
from actors.tracing import Tracer

if TYPE_CHECKING:  # a circle: the watcher imports publications, and these import actors
    from actors.watching import Watcher

logger = logging.getLogger("actors.runtime")

Handler = Callable[[Any, Any], Any]
ExcInfo = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]

_serial = itertools.count(1)


def handles(*message_types: type) -> Callable[[Callable[[Any, Any], Any]], Handler]:
    """Mark a method as the handler of these message types."""

    def mark(method: Callable[[Any, Any], Any]) -> Handler:
        method.handled = message_types  # type: ignore[attr-defined]  # functions have attributes
        return method

    return mark


_NOT, _LOW, _HIGH = range(3)
"""How an actor is scheduled."""


class LoopActor(pykka.Actor):
    """Base of every actor on the event loop; start it with `Stage.start`."""

    handlers: ClassVar[dict[type, Handler]] = {}
    """Message type → method, gathered from `@handles`; a type without one is handled as its nearest base is."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        own = {t: method for method in vars(cls).values() for t in getattr(method, "handled", ())}
        cls.handlers = {**cls.handlers, **own}

    def __init__(self) -> None:
        # Not super().__init__(): its UUID and threading.Event cost 8 µs and 1.3 KiB an actor.
        self.actor_urn = f"{type(self).__name__}-{next(_serial)}"
        self.actor_stopped: Stopped = Stopped()  # type: ignore[assignment]  # the two methods that Pykka uses
        inbox = self._create_actor_inbox()
        inbox.actor = self
        self.actor_inbox = inbox
        self._inbox = inbox.queue
        self._actor_ref: Ref = Ref(self)
        self._scheduled = _NOT
        self._held = False
        self._envelope: Envelope[Any] | None = None
        self.stage: Stage

    _create_actor_inbox = LoopInbox
    _create_future = LoopFuture

    def _start_actor_loop(self) -> None:
        self._actor_loop_setup()

    @property
    def actor_ref(self) -> Ref:
        return self._actor_ref

    # What an actor may use

    def defer(self) -> LoopFuture[Any]:
        """Take over the reply to the message being handled; the handler returns what `defer()` gave it.

        A message that came by `tell` has no caller; nothing waits for the future then. A handler that raises
        after all answers the caller with what it raised.
        """
        assert self._envelope is not None
        return reply_of(self._envelope) or LoopFuture()

    def hold(self) -> None:
        """Leave messages in the inbox until `release()`; those sent by `urgent()` still arrive."""
        self._held = True

    def release(self) -> None:
        self._held = False
        self.wake_for_rest()

    def urgent(self, message: Any) -> None:
        """Handle `message` now, before the inbox and even while it is held: for the result that the actor is waiting
        for."""
        self._handle(Envelope(message))

    @property
    def is_low_priority(self) -> bool:
        """Whether its turns have low priority, because it serves a crowd. A message may set the same for itself."""
        return False

    def on_turn_end(self) -> None:
        """Called after the messages of a turn were handled: the place to flush output."""

    # The mechanism

    def wake(self, envelope: Envelope[Any]) -> None:
        """A message has arrived. A queued turn of low priority is raised by the first message of high priority."""
        if self._scheduled is _HIGH or self._held:
            return
        stage = self.stage
        if threading.get_ident() != stage.os_thread:
            stage.wake_from_os_thread(self)
        elif not (self.is_low_priority or getattr(envelope.message, "is_low_priority", False)):
            self._scheduled = _HIGH
            stage.run_queue.put(self)
        elif self._scheduled is _NOT:
            self._scheduled = _LOW
            stage.run_queue.put_low_priority(self)

    def wake_for_rest(self) -> None:
        if self._inbox and not self._held:
            self.wake(self._inbox[0])

    def turn(self) -> None:
        self._scheduled = _NOT
        inbox = self._inbox
        for _ in range(limits.TURN_MESSAGES):
            if not inbox or self._held:
                break
            self._handle(inbox.popleft())
        self._end_turn()
        self.wake_for_rest()

    def _end_turn(self) -> None:
        try:
            self.on_turn_end()
        except Exception:
            logger.exception("%s failed at the end of its turn", self)

    def _handle(self, envelope: Envelope[Any]) -> None:
        if self.actor_stopped.flag:
            self._refuse(envelope)
            return
        outer, self._envelope = self._envelope, envelope
        message = envelope.message
        try:
            handler = self.handlers.get(type(message))
            response = self._handle_receive(message) if handler is None else handler(self, message)
            if envelope.reply_to is not None and response is not envelope.reply_to:
                envelope.reply_to.set(response)
        except Exception as error:  # noqa: BLE001 - contained: the reply or a log line, never the end of the actor
            self._contain(envelope, error)
        finally:
            self._envelope = outer

    def _contain(self, envelope: Envelope[Any], error: Exception) -> None:
        expected = isinstance(error, XpError) and envelope.reply_to is not None
        if not expected:
            logger.error("%s failed on %s", self, type(envelope.message).__name__, exc_info=error)
        reply = reply_of(envelope)
        if reply is not None and not reply.done:
            # Without its traceback, whose frames have the envelope, which has the reply: a cycle.
            reply.set_exception(error.with_traceback(None) if isinstance(error, XpError) else Internal())

    def _refuse(self, envelope: Envelope[Any]) -> None:
        reply = reply_of(envelope)
        if reply is None:
            return
        if isinstance(envelope.message, pykka_messages._ActorStop):
            reply.set(None)
        else:
            reply.set_exception(pykka.ActorDeadError(f"{self} stopped before handling the message"))

    def _handle_receive(self, message: Any) -> Any:
        handler = self._handler_of_a_base(type(message))
        if handler is not None:
            return handler(self, message)
        return super()._handle_receive(message)

    @classmethod
    def _handler_of_a_base(cls, kind: type) -> Handler | None:
        """The handler for the nearest base of the message's type; found once."""
        found = next((cls.handlers[base] for base in kind.__mro__ if base in cls.handlers), None)
        if found is not None:
            cls.handlers[kind] = found
        return found

    def _stop(self) -> None:
        self.actor_stopped.set()
        self.stage.forget(self)
        try:
            self.on_stop()
        except Exception:
            logger.exception("%s failed while stopping", self)
        while self._inbox:
            self._refuse(self._inbox.popleft())
        self.actor_inbox.actor = GONE  # type: ignore[attr-defined]  # else each actor that stops is a cycle for the garbage collector

    def _handle_failure(
        self,
        exception_type: type[BaseException] | None,
        exception_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Only `on_start` still comes here: an actor that cannot start stops."""
        logger.error("%s could not start", self, exc_info=exception_value)
        self.actor_stopped.set()
        self.stage.forget(self)


class Stage:
    """The actors of one event loop: starts them, keeps them alive, stops them in the reverse order of their start."""

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self.loop = loop or asyncio.get_running_loop()
        self.os_thread = threading.get_ident()
        self._actors: dict[str, LoopActor] = {}
        self.measures = Measures()
        self.tracer: Tracer | None = None
        """Set by the composition root before the journal is opened."""
        self.watcher: Watcher | None = None
        """While an administrator watches something live."""
        self.run_queue = RunQueue(self.loop, measures=self.measures)
        self._woken: deque[LoopActor] = deque()
        self._wake_pending = False
        self._wake_lock = threading.Lock()

    def start(self, actor: LoopActor) -> Ref:
        """Start an actor that was made for this stage; its `on_start` has run when this returns."""
        actor.stage = self
        self._actors[actor.actor_urn] = actor
        actor._start_actor_loop()
        return actor.actor_ref

    def forget(self, actor: LoopActor) -> None:
        self._actors.pop(actor.actor_urn, None)

    def stop_all(self) -> None:
        """Stop what still runs, the youngest first. Messages still waiting are refused with `ActorDeadError`."""
        for actor in reversed(list(self._actors.values())):
            if not actor.actor_stopped.is_set():
                actor._stop()

    def inboxes(self) -> dict[str, tuple[int, int]]:
        """Class of actor → how many there are, and how many messages wait for them."""
        found: dict[str, tuple[int, int]] = {}
        for actor in self._actors.values():
            kind = type(actor).__name__
            number, waiting = found.get(kind, (0, 0))
            found[kind] = number + 1, waiting + len(actor._inbox)
        return found

    def unsent_bytes(self) -> int:
        """Of all connections: what was not handed to their sockets yet."""
        return sum(getattr(actor, "unsent_bytes", 0) for actor in self._actors.values())

    def count(self, kind: type[LoopActor] = LoopActor) -> int:
        return sum(isinstance(actor, kind) for actor in self._actors.values())

    def wake_from_os_thread(self, actor: LoopActor) -> None:
        """One `call_soon_threadsafe` for all actors woken before the loop comes round."""
        with self._wake_lock:
            self._woken.append(actor)
            if self._wake_pending:
                return
            self._wake_pending = True
        self.loop.call_soon_threadsafe(self._wake_all)

    def _wake_all(self) -> None:
        with self._wake_lock:
            woken, self._woken = self._woken, deque()
            self._wake_pending = False
        for actor in woken:
            actor.wake_for_rest()
