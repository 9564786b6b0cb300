"""The inbox of an actor, as Pykka knows inboxes, and what stands where the actor was."""

from typing import Any

import pykka
import pytest
from pykka._envelope import Envelope

from actors.runtime.future import LoopFuture
from actors.runtime.inbox import GONE, LoopInbox


class Owner:
    def __init__(self) -> None:
        self.woken: list[Envelope[Any]] = []

    def wake(self, envelope: Envelope[Any]) -> None:
        self.woken.append(envelope)


def test_messages_go_out_as_they_came_and_wake_their_actor() -> None:
    inbox, owner = LoopInbox(), Owner()
    inbox.actor = owner
    envelopes: list[Envelope[Any]] = [Envelope(message) for message in ("first", "second")]
    assert inbox.empty() is True
    for envelope in envelopes:
        inbox.put(envelope)
    assert owner.woken == envelopes
    assert inbox.empty() is False
    assert [inbox.get(), inbox.get(), inbox.empty()] == [*envelopes, True]


def test_who_asks_just_as_the_actor_stops_is_answered() -> None:
    inbox, reply = LoopInbox(), LoopFuture[Any]()
    inbox.actor = GONE
    inbox.put(Envelope("nobody waits"))
    inbox.put(Envelope("a question", reply_to=reply))
    with pytest.raises(pykka.ActorDeadError, match="stopped before handling"):
        reply.result()
