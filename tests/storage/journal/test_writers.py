"""Every command has its writer."""

import pytest

from actors.commands import Command, ThreadCommand
from actors.outcomes import Done
from actors.resources.memory import ReplaceMemory
from actors.resources.messages import PostMessage
from actors.resources.streams import AppendToMessage
from storage.journal import execution  # finds the writers
from storage.journal.transaction import Transaction
from storage.journal.writers import writer_of, writes, written
from tests.declared import declared

MANY_AT_A_TIME = {PostMessage}
"""See `storage/journal/posting.py`."""
IN_MEMORY = {AppendToMessage}
"""What a thread's actor does by itself."""


def test_every_command_has_a_writer() -> None:
    assert execution.together
    assert declared(Command) - {ThreadCommand} - written() == MANY_AT_A_TIME | IN_MEMORY


def test_a_command_has_one_writer() -> None:
    with pytest.raises(AssertionError, match="ReplaceMemory has two writers"):

        @writes(ReplaceMemory)
        def another(tx: Transaction, command: ReplaceMemory) -> Done: ...

    assert writer_of(ReplaceMemory).__name__ == "replace_memory"
