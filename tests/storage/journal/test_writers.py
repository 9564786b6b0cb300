"""Every command has its writer."""

import pytest

from actors.commands import Command, ThreadCommand
from actors.outcomes import Done
from actors.resources.memory import Memory, ReplaceMemory
from actors.resources.messages import PostMessage
from storage.journal import group_commit  # finds the writers
from storage.journal.transaction import Transaction
from storage.journal.writers import writer_of, writes, written
from tests.declared import declared

MANY_AT_A_TIME = {PostMessage}
"""See `storage/journal/posting.py`."""


def test_every_command_has_a_writer() -> None:
    assert group_commit.together
    assert declared(Command) - {ThreadCommand} - written() == MANY_AT_A_TIME


def test_a_command_has_one_writer() -> None:
    with pytest.raises(AssertionError, match="ReplaceMemory has two writers"):

        @writes(ReplaceMemory)
        def another(tx: Transaction, command: ReplaceMemory) -> Done[Memory]: ...

    assert writer_of(ReplaceMemory).__name__ == "replace_memory"
