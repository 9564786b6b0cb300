"""What a resource declares is found by where it stands, and nothing of it is missing. Events: see `test_event_kinds`;
that every command has a writer and every query an answer: `test_writers` and `test_answers` in `tests/storage/`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from peewee import CharField, Model, SqliteDatabase

import server.resources
import storage.resources
from actors.auth.identity import Identity
from actors.commands import Command, Once
from actors.errors import NotFound
from actors.modules import import_named
from actors.outcomes import Done
from actors.queries import IdentityQuery
from server.api import operations
from storage.journal import results
from storage.journal.transaction import Transaction
from storage.journal.writers import writer_of, writes
from storage.maintenance.integrity_rules import RULES
from storage.readers import rows
from storage.readers.answers import answer, answers
from storage.schema.models import Base
from tests.builders import Ledger

ROOT = Path(__file__).parents[1]
CHECKED_OTHERWISE = {
    "audit": "its rows are a chain of hashes, which `xp db check` follows",
    "access_change": "refers to what may be gone by then",
    "revoked_token": "tokens of other issuers, which no other table knows",
}


def _tables(base: type[Base]) -> Iterator[type[Base]]:
    for table in base.__subclasses__():
        if table.__module__.startswith("storage.schema."):
            yield table
        yield from _tables(table)


@pytest.mark.parametrize("table", sorted(_tables(Base), key=str), ids=lambda table: table._meta.table_name)
def test_every_table_has_a_place_in_the_check_of_the_database(table: type[Base]) -> None:
    name = table._meta.table_name
    is_ruled = any(re.search(rf"\b{name}\b", rule.sql) for rule in RULES)
    assert (is_ruled or bool(table._meta.refs)) != (name in CHECKED_OTHERWISE)


def test_modules_are_found_in_the_folders_of_resources() -> None:
    found = [module.__name__ for module in import_named(storage.resources, "writing")]
    assert found == sorted(found)
    assert "storage.resources.messages.writing" in found
    assert "storage.resources.preferences.writing" not in found, "there is none"


def test_every_operation_that_a_resource_declares_is_offered() -> None:
    declared = [len(module.operations.all) for module in import_named(server.resources, "operations")]
    assert sum(declared) == len(operations.ALL) == len(operations.BY_NAME)


NAMES_MEMORY = re.compile(
    r"\b(Memory|memory_version|MEMORY_(BYTES|PINS|UPDATED))\b|resources(\.memory| import memory)\b"
)


def test_a_resource_stands_in_few_files() -> None:
    """`memory`: its own files, its table, its limits, and the context for a model, which is made of it."""
    sources = [path for layer in ("actors", "storage", "server", "cli") for path in (ROOT / layer).rglob("*.py")]
    named = [path for path in sources if path.parent.name != "migrations" and NAMES_MEMORY.search(path.read_text())]
    assert 4 <= len(named) <= 7, named


# Parts of the recipe of CONTRIBUTING.md, in short; `tests/recipe/` walks all of it


class NoteRow(Model):  # type: ignore[misc]  # peewee ships no types
    uid = CharField(unique=True)
    text = CharField()

    class Meta:
        table_name = "note"


@dataclass(frozen=True, slots=True)
class Note:
    id: str
    text: str


@dataclass(slots=True, kw_only=True)
class WriteNote(Command):
    note_id: str
    text: str


@dataclass(frozen=True, slots=True)
class GetNote(IdentityQuery[Note]):
    note_id: str


@writes(WriteNote)
def write_note(tx: Transaction, command: WriteNote) -> Done:
    tx.execute(NoteRow.insert(uid=command.note_id, text=command.text))
    return Done(Note(command.note_id, command.text))


@answers(GetNote)
def one(database: SqliteDatabase, identity: Identity, note_id: str) -> Note:
    row = rows.first(database, NoteRow.select(NoteRow.uid, NoteRow.text).where(NoteRow.uid == note_id))
    if row is None:
        raise NotFound("note")
    return Note(*row)


def _again(tx: Transaction, identity: Identity, reference: results.Reference) -> Note:
    return one(tx.database, identity, reference["id"])


results.keep(Note, refer=lambda note: {"id": note.id}, load=_again)


@pytest.fixture
def notes(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger(tmp_path / "experience.db")
    made.sql("CREATE TABLE note (id INTEGER PRIMARY KEY, uid TEXT UNIQUE NOT NULL, text TEXT NOT NULL)")
    yield made
    made.close()


def test_a_new_resource_is_written_read_and_answered_again_to_a_retry(notes: Ledger) -> None:
    ana = notes.user("ana")
    command = WriteNote(identity=ana, note_id="n1", text="milk", once=Once("k", "f"))
    assert notes.do(command).result == Note("n1", "milk")
    assert notes.ask(answer, GetNote(ana, "n1")) == Note("n1", "milk")
    notes.sql("UPDATE note SET text = 'bread'")
    again = notes.do(command)
    assert (again.result, again.replayed) == (Note("n1", "bread"), True)
    with pytest.raises(NotFound):
        notes.ask(answer, GetNote(ana, "n2"))


@dataclass(slots=True, kw_only=True)
class Forgotten(Command):
    pass


def test_what_is_forgotten_says_where_it_belongs() -> None:
    with pytest.raises(LookupError, match="Forgotten"):
        writer_of(Forgotten)
    with pytest.raises(TypeError, match=r"no reference is defined for object: see storage/journal/results\.py"):
        results.reference_of(object())
    with pytest.raises(AssertionError, match="Note is kept in two ways"):
        results.keep(Note, refer=lambda note: {}, load=_again)


def test_plain_results_are_kept_as_they_are() -> None:
    assert results.reference_of(3) == {"kind": "plain", "value": 3}
    assert results.reference_of(None) == {"kind": "plain", "value": None}


@dataclass(slots=True, kw_only=True)
class WriteLongNote(WriteNote):
    pass


def test_a_command_is_written_as_its_base_is() -> None:
    assert writer_of(WriteLongNote) is write_note
