"""The live channels: bounded in number, in all and for each user, and removed when unused.

Only subscribing and publishing create one; queries about an unused name do not. Confined to the event loop.
"""

import asyncio
from collections import Counter, OrderedDict
from typing import Any

from actors import limits
from actors.delivery.live_channel import LiveChannelActor
from actors.delivery.live_memory import LiveMemory
from actors.runtime.loop_actor import Ref, Stage


class LiveChannels:
    """Implements `actors.live_channel.Keeper`. One timer for all of them, which runs while there are any."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._channels: dict[str, LiveChannelActor] = {}
        self._idle: OrderedDict[LiveChannelActor, float] = OrderedDict()
        """Without subscribers → since when; the longest idle first."""
        self._idle_of: dict[int, OrderedDict[LiveChannelActor, None]] = {}
        """The same by the user who created them."""
        self._made: Counter[int] = Counter()
        self._timer: asyncio.TimerHandle | None = None
        self.memory = LiveMemory()

    def find(self, name: str) -> Ref | None:
        """The channel, where it exists."""
        actor = self._channels.get(name)
        return actor.actor_ref if actor is not None else None

    def open(self, name: str, user_key: int) -> Ref | None:
        """The channel, made where it does not exist; None where there are too many. One that has been idle for long
        makes room for a new one: one of the same user's, where it is the user who has too many."""
        actor = self._channels.get(name)
        if actor is None:
            actor = self._make(name, user_key)
        return actor.actor_ref if actor is not None else None

    def _make(self, name: str, user_key: int) -> LiveChannelActor | None:
        if self._made[user_key] >= limits.LIVE_CHANNELS_PER_USER and not self._retire_one(self._idle_of.get(user_key)):
            return None
        if len(self._channels) >= limits.LIVE_CHANNELS and not self._retire_one(self._idle):
            return None
        actor = self._channels[name] = LiveChannelActor(name, user_key, self)
        self._made[user_key] += 1
        self._stage.start(actor)
        self.is_idle(actor)
        self._watch()
        return actor

    def _retire_one(self, idle: "OrderedDict[LiveChannelActor, Any] | None") -> bool:
        """Whether there was an unused one."""
        for actor in idle or ():
            if not actor.is_needed:
                self._retire(actor)
                return True
        return False

    def tell_if_live(self, name: str, message: object) -> None:
        actor = self._channels.get(name)
        if actor is not None and not actor.actor_stopped.is_set():
            actor.actor_ref.tell(message)

    # Who is needed

    def is_used(self, actor: LiveChannelActor) -> None:
        self._idle.pop(actor, None)
        theirs = self._idle_of.get(actor.made_by)
        if theirs is not None:
            theirs.pop(actor, None)
            if not theirs:
                del self._idle_of[actor.made_by]

    def is_idle(self, actor: LiveChannelActor) -> None:
        self._idle[actor] = self._stage.loop.time()
        self._idle.move_to_end(actor)
        theirs = self._idle_of.setdefault(actor.made_by, OrderedDict())
        theirs[actor] = None
        theirs.move_to_end(actor)

    def _retire(self, actor: LiveChannelActor) -> None:
        self.is_used(actor)
        del self._channels[actor.channel]
        self._made[actor.made_by] -= 1
        if not self._made[actor.made_by]:
            del self._made[actor.made_by]
        actor.stop()

    # Time passes

    def _watch(self, seconds: float | None = None) -> None:
        if self._timer is None:
            delay = limits.LIVE_SECONDS / limits.LIVE_LOOKS if seconds is None else seconds
            self._timer = self._stage.loop.call_later(delay, self._sweep)

    def _sweep(self) -> None:
        """Drop expired publications and channels; many of them in several steps, so that other turns run."""
        self._timer = None
        before = self._stage.loop.time() - limits.LIVE_SECONDS
        is_done = self.memory.forget_older(before, limits.LIVE_SWEPT_AT_ONCE) and self._retire_idle(before)
        if self._channels:
            self._watch(None if is_done else limits.LIVE_SWEEP_PAUSE_SECONDS)

    def _retire_idle(self, before: float) -> bool:
        for _ in range(limits.LIVE_SWEPT_AT_ONCE):
            actor = next(iter(self._idle), None)
            if actor is None or self._idle[actor] >= before:
                return True
            if actor.is_needed:
                self.is_idle(actor)
            else:
                self._retire(actor)
        return False

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def __len__(self) -> int:
        return len(self._channels)
