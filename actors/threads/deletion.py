"""The members of a thread that was deleted are notified in steps: the deletion itself notifies the first of them."""

import contextlib
from typing import Any

from actors.commands import NotifyThreadDeleted
from actors.errors import XpError
from actors.journal.actor import Journal
from actors.runtime.future import LoopFuture


def notify_members(journal: Journal, thread_id: str) -> None:
    """One command after the other, as long as there may be more members."""
    step = NotifyThreadDeleted(thread_id)

    def go_on(outcome: LoopFuture[Any]) -> None:
        if outcome.error is None and outcome.result().result == step.rows:
            notify_members(journal, thread_id)

    with contextlib.suppress(XpError):
        journal.append(step).when_done(go_on)
