"""Notes: their operations, their view, their events."""

from typing import Annotated, Any, Final

from actors.resources.notes import (
    NOTE_CREATED,
    NOTE_DELETED,
    NOTE_UPDATED,
    CreateNote,
    DeleteNote,
    GetNote,
    ListNotes,
    Note,
    NoteGone,
    UpdateNote,
)
from pydantic import StringConstraints

from actors.events import Event
from server.api import render
from server.api.common_views import DeletedView
from server.api.cursors import integer
from server.api.event_views import DataView, DataViews
from server.api.fields import Id, NoNul, Paged, Request, Time, View
from server.api.registry import Call, Operations, Result
from server.resources.users.views import AuthorView

operations = Operations("notes")
Text = Annotated[str, StringConstraints(min_length=1, max_length=1000), NoNul]


class NoteView(View):
    id: Id
    thread_id: Id
    author: AuthorView
    text: str
    version: int
    created_at: Time


class NoteGoneView(View):
    id: Id


class ListNotesRequest(Paged):
    thread_id: Id


class CreateNoteRequest(Request):
    thread_id: Id
    text: Text


class NoteRequest(Request):
    thread_id: Id
    note_id: Id


class UpdateNoteRequest(NoteRequest):
    text: Text


@operations("GET", "/threads/{thread_id}/notes", response=NoteView, paged=True)
async def list_notes(call: Call, request: ListNotesRequest) -> Result:
    """The thread's notes, newest first."""
    query = ListNotes(call.identity, request.thread_id, limit=request.limit, before=integer(request.cursor))
    page = await call.services.ask(query)
    return Result(list(map(_view, page.items)), next_cursor=page.next_cursor, limit=request.limit)


@operations("POST", "/threads/{thread_id}/notes", response=NoteView, status=201)
async def create_note(call: Call, request: CreateNoteRequest) -> Result:
    """Write a note."""
    command = CreateNote(identity=call.identity, once=call.once, thread_id=request.thread_id, text=request.text)
    return _shown((await call.services.directory.ask(command)).result)


@operations("GET", "/threads/{thread_id}/notes/{note_id}", response=NoteView)
async def get_note(call: Call, request: NoteRequest) -> Result:
    """One note."""
    return _shown(await call.services.ask(GetNote(call.identity, request.thread_id, request.note_id)))


@operations("PATCH", "/threads/{thread_id}/notes/{note_id}", response=NoteView)
async def update_note(call: Call, request: UpdateNoteRequest) -> Result:
    """Change a note's text."""
    command = UpdateNote(
        identity=call.identity, once=call.once, thread_id=request.thread_id, note_id=request.note_id,
        text=request.text, if_version=call.if_version,
    )  # fmt: skip
    return _shown((await call.services.directory.ask(command)).result)


@operations("DELETE", "/threads/{thread_id}/notes/{note_id}", response=DeletedView)
async def delete_note(call: Call, request: NoteRequest) -> Result:
    """Delete a note."""
    command = DeleteNote(identity=call.identity, thread_id=request.thread_id, note_id=request.note_id)
    await call.services.directory.ask(command)
    return Result({"id": request.note_id, "deleted": True})


def _shown(note: Any) -> Result:
    return Result(_view(note), version=note.version)


def _view(note: Note) -> render.Json:
    return {
        "id": note.id,
        "thread_id": note.thread_id,
        "author": render.author(note.author),
        "text": note.text,
        "version": note.version,
        "created_at": render.iso_time(note.created_at),
    }


def _event(_: Event, data: Note | NoteGone) -> render.Json:
    return {"id": data.id} if isinstance(data, NoteGone) else _view(data)


VIEWS: Final[DataViews] = {
    NOTE_CREATED: DataView(NoteView | NoteGoneView, _event),
    NOTE_UPDATED: DataView(NoteView | NoteGoneView, _event),
    NOTE_DELETED: DataView(NoteGoneView, _event),
}
