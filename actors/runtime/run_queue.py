"""Whose turn it is on the event loop.

Turns are prompt, or patient. A round of the event loop takes all prompt turns that wait, and patient ones for a moment:
a thousand connections that are to be told what was said in one thread would else be a thousand turns, and as many
writes to sockets, that everybody waits for whose answer comes after them.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from actors import limits


class TakesTurns(Protocol):
    def turn(self) -> None:
        """Also with an empty inbox: it may have had a prompt turn since it was queued as a patient one."""


class RunQueue:
    """Confined to its event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: Callable[[], float] = time.perf_counter) -> None:
        """`clock` in seconds."""
        self._loop = loop
        self._clock = clock
        self._prompt: deque[TakesTurns] = deque()
        self._patient: deque[TakesTurns] = deque()
        self._patient_since = 0.0
        """When patient turns ended and more were left, or the first came."""
        self._is_scheduled = False

    def put(self, actor: TakesTurns) -> None:
        self._prompt.append(actor)
        self._schedule()

    def put_patient(self, actor: TakesTurns) -> None:
        if not self._patient:
            self._patient_since = self._clock()
        self._patient.append(actor)
        self._schedule()

    def _schedule(self) -> None:
        if not self._is_scheduled:
            self._is_scheduled = True
            self._loop.call_soon(self._run)

    def _run(self) -> None:
        """What the turns schedule comes in the next round, after what sockets brought meanwhile."""
        try:
            for _ in range(len(self._prompt)):
                self._prompt.popleft().turn()
            if self._patient:
                self._run_patient()
        finally:  # a turn that raises all the same is the end of nobody else's
            self._is_scheduled = False
            if self._prompt or self._patient:
                self._schedule()

    def _run_patient(self) -> None:
        began = self._clock()
        end = began + max(limits.PATIENT_SECONDS, (began - self._patient_since) * limits.PATIENT_SHARE)
        for _ in range(len(self._patient)):
            self._patient.popleft().turn()
            if self._clock() >= end:
                break
        self._patient_since = self._clock()
