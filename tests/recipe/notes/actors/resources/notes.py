"""Notes: short texts in a thread, for all of its members."""

from dataclasses import KW_ONLY, dataclass
from typing import Final

from actors.commands import Gone, IfVersion, ThreadCommand
from actors.events import EventKind
from actors.page import Page
from actors.queries import IdentityQuery
from actors.resources.search import SearchKind
from actors.resources.users import Author


@dataclass(frozen=True, slots=True)
class Note:
    key: int
    id: str
    thread_id: str
    author: Author
    text: str
    version: int
    created_at: int


@dataclass(frozen=True, slots=True)
class NoteGone:
    id: str


@dataclass(slots=True, kw_only=True)
class CreateNote(ThreadCommand[Note]):
    text: str


@dataclass(slots=True, kw_only=True)
class UpdateNote(ThreadCommand[Note]):
    note_id: str
    text: str
    if_version: IfVersion = None


@dataclass(slots=True, kw_only=True)
class DeleteNote(ThreadCommand[Gone]):
    note_id: str


@dataclass(frozen=True, slots=True)
class GetNote(IdentityQuery[Note]):
    thread_id: str
    note_id: str


@dataclass(frozen=True, slots=True)
class ListNotes(IdentityQuery[Page[Note]]):
    """The newest first."""

    thread_id: str
    _: KW_ONLY
    limit: int
    before: int | None


NOTE_CREATED: Final = EventKind("note.created", Note | NoteGone, "note")
NOTE_UPDATED: Final = EventKind("note.updated", Note | NoteGone, "note")
NOTE_DELETED: Final = EventKind("note.deleted", NoteGone, None)

NOTES: Final = SearchKind("note", "notes", "note")
