"""Notes: what their commands write, how they are read, replayed, searched and checked."""

from collections.abc import Sequence
from typing import Any, Final

import orjson
from actors.resources.notes import (
    NOTE_CREATED,
    NOTE_DELETED,
    NOTE_UPDATED,
    NOTES,
    CreateNote,
    DeleteNote,
    GetNote,
    ListNotes,
    Note,
    NoteGone,
    UpdateNote,
)
from peewee import SqliteDatabase
from storage.schema.note_models import Note as Row

from actors import permissions
from actors.auth.identity import Identity
from actors.commands import Gone
from actors.errors import NotFound
from actors.identifiers import new_id
from actors.outcomes import Done
from actors.page import Page
from actors.permissions import must_match
from storage.journal import results
from storage.journal.transaction import Transaction
from storage.journal.writers import writes
from storage.maintenance.rule import Rule
from storage.readers import access, rows, weight
from storage.readers.answers import answers
from storage.readers.paging import page_of
from storage.resources.log.replay import Entry, Loaders, Replay
from storage.schema.models import Thread, User
from storage.search import index
from storage.search.searched import Searched

# Reading


def _query() -> Any:
    columns = (Row.id, Row.uid, Thread.uid, Row.text, Row.version, Row.created_at)
    author = (User.id, User.uid, User.name, User.kind, User.avatar_url)
    return Row.select(*columns, *author).join(Thread).join_from(Row, User)


def _of(row: Sequence[Any]) -> Note:
    key, uid, thread_id, text, version, created_at, *author = row
    return Note(key, uid, thread_id, rows.author_of(author), text, version, created_at)


@weight.of.register
def _weight(note: Note) -> int:
    return weight.FIXED + weight.author(note.author) + weight.text(note.text)


@answers(GetNote)
def one(database: SqliteDatabase, identity: Identity, thread_id: str, note_id: str) -> Note:
    key, _ = access.visible_thread(database, identity, thread_id)
    return _in_thread(database, key, note_id)


@answers(ListNotes)
def page(database: SqliteDatabase, identity: Identity, thread_id: str, *, limit: int, before: int | None) -> Page[Note]:
    key, _ = access.visible_thread(database, identity, thread_id)
    query = _query().where(Row.thread == key)
    if before is not None:
        query = query.where(Row.id < before)
    found = rows.iterate(database, query.order_by(Row.id.desc()).limit(limit + 1))
    shown, more = page_of(found, limit, lambda part: map(_of, part), weight.of)
    return Page(shown, str(shown[-1].key) if more else None)


def _in_thread(database: SqliteDatabase, thread_key: int, note_id: str) -> Note:
    row = rows.first(database, _query().where((Row.uid == note_id) & (Row.thread == thread_key)))
    if row is None:
        raise NotFound("note", note_id)
    return _of(row)


# Writing


@writes(CreateNote)
def create_note(tx: Transaction, command: CreateNote) -> Done[Note]:
    thread = _writable(tx, command)
    author = command.identity.author
    uid = new_id()
    insert = Row.insert(
        uid=uid, thread=thread[0], author=author.key, position=tx.position + 1, text=command.text, created_at=tx.now
    )
    key = int(tx.execute(insert))
    note = Note(key, uid, thread[1], author, command.text, 1, tx.now)
    return Done(note, (tx.log(thread, NOTE_CREATED, author, note, ref=key, small={"id": uid}),))


@writes(UpdateNote)
def update_note(tx: Transaction, command: UpdateNote) -> Done[Note]:
    thread = _writable(tx, command)
    before = _in_thread(tx.database, thread[0], command.note_id)
    must_match(command.if_version, before.version)
    if before.text == command.text:
        return Done(before)
    with index.changing(tx.database, TEXTS, Row.id == before.key):
        tx.execute(Row.update(text=command.text, version=Row.version + 1).where(Row.id == before.key))
    note = _in_thread(tx.database, thread[0], command.note_id)
    event = tx.log(thread, NOTE_UPDATED, command.identity.author, note, ref=note.key, small={"id": note.id})
    return Done(note, (event,))


@writes(DeleteNote)
def delete_note(tx: Transaction, command: DeleteNote) -> Done[Gone]:
    thread = _writable(tx, command)
    note = _in_thread(tx.database, thread[0], command.note_id)
    with index.changing(tx.database, TEXTS, Row.id == note.key):
        tx.execute(Row.delete().where(Row.id == note.key))
    gone = NoteGone(note.id)
    event = tx.log(thread, NOTE_DELETED, command.identity.author, gone, small={"id": note.id})
    return Done(Gone(note.id), (event,))


def _writable(tx: Transaction, command: CreateNote | UpdateNote | DeleteNote) -> tuple[int, str]:
    key, uid, status = tx.thread(command.thread_id)
    permissions.must_write(command.identity, tx.role(key, command.identity.user.key), uid, status)
    return key, uid


def _again(tx: Transaction, identity: Identity, reference: results.Reference) -> Note | None:
    row = rows.first(tx.database, _query().where(Row.uid == reference["id"]))
    return _of(row) if row else None


results.keep(Note, refer=lambda note: {"id": note.id}, load=_again)

# Replays, searches, checks


def _replayed(replay: Replay, entry: Entry) -> Note | NoteGone:
    row = rows.first(replay.database, _query().where(Row.id == entry.ref))
    return _of(row) if row else _gone(replay, entry)


def _gone(_: Replay, entry: Entry) -> NoteGone:
    return NoteGone(orjson.loads(entry.data or "{}")["id"])


LOADERS: Final[Loaders] = {NOTE_CREATED: _replayed, NOTE_UPDATED: _replayed, NOTE_DELETED: _gone}
TEXTS: Final = Searched(
    NOTES,
    (NOTE_CREATED,),
    source=Row,
    thread=Row.thread,
    position=Row.position,
    uid=Row.uid,
    author=Row.author,
    text=Row.text,
    made_at=Row.created_at,
    there=Row.id.is_null(False),
)
SEARCHED: Final = (TEXTS,)
RULES: Final = (
    Rule(
        "every note has its entry",
        "Note {note} has no entry in the log.",
        """
        SELECT n.uid AS note FROM note AS n JOIN thread AS t ON t.id = n.thread_id
          LEFT JOIN event AS e ON e.position = n.position AND e.type = 'note.created'
         WHERE e.position IS NULL AND $whole""",
    ),
)
