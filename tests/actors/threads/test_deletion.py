"""The members of a deleted thread are notified step by step."""

from typing import Any

from actors.commands import NotifyThreadDeleted
from actors.errors import Overloaded
from actors.outcomes import Done
from actors.runtime.future import LoopFuture
from actors.threads.deletion import notify_members


class Journal:
    """Answers when a test does."""

    def __init__(self) -> None:
        self.asked: list[NotifyThreadDeleted] = []
        self.reply: LoopFuture[Any] = LoopFuture()

    def append(self, command: NotifyThreadDeleted) -> LoopFuture[Any]:
        self.asked.append(command)
        self.reply = LoopFuture()
        return self.reply


def test_as_long_as_a_step_was_full_another_follows() -> None:
    journal: Any = Journal()
    notify_members(journal, "t")
    step = NotifyThreadDeleted("t")
    journal.reply.set(Done(step.rows))
    assert journal.asked == [step, step]
    journal.reply.set(Done(step.rows - 1))
    assert journal.asked == [step, step]


def test_a_step_that_fails_is_the_last() -> None:
    """The housekeeper goes on with what is left."""
    journal: Any = Journal()
    notify_members(journal, "t")
    journal.reply.set_exception(Overloaded("too much"))
    assert len(journal.asked) == 1


def test_an_overloaded_journal_is_no_trouble() -> None:
    class Full(Journal):
        def append(self, command: NotifyThreadDeleted) -> LoopFuture[Any]:
            raise Overloaded("too much")

    journal: Any = Full()
    notify_members(journal, "t")
