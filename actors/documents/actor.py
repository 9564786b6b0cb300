"""The actor of one document that is edited: it puts edits in order, on disk first, then to the other editors.

An edit is applied and passed on once it is committed: what an editor has seen of another one survives a crash. Edits
that arrive from one editor meanwhile are written together.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from actors import limits
from actors.asks import Asks
from actors.auth.identity import Identity
from actors.documents import edits, wire
from actors.documents.cursors import Cursor, Cursors
from actors.documents.ports import Editor, Replica
from actors.errors import Conflict, Forbidden, Malformed, TooLarge, XpError
from actors.outcomes import Done
from actors.resources.documents import Access, AppendEdit, FoldEdits
from actors.resources.proposals.hunks import hunks, merged, standings
from actors.runtime.loop_actor import LoopActor, LoopFuture, handles

logger = logging.getLogger("actors.documents")

MALFORMED = (3501, "bad request")
RELOAD = (3010, "insufficient state")
ENDED = (3507, "access ended")
FLOODED = (3013, "too many requests")


@dataclass(frozen=True, slots=True)
class Join(Asks[None]):
    """Answers None; raises `Conflict` where there are too many."""

    editor: Editor


@dataclass(frozen=True, slots=True)
class Leave:
    editor: Editor


@dataclass(frozen=True, slots=True)
class Received:
    editor: Editor
    frame: bytes


@dataclass(frozen=True, slots=True)
class Handle(Asks[None]):
    """Answers None, once all that came before it is handled: its sender waits, so that no more than that is here."""


@dataclass(frozen=True, slots=True)
class AccessSeen:
    access: Access
    users: frozenset[int]
    """Who was asked for: an editor may have come meanwhile."""


@dataclass(frozen=True, slots=True)
class Revise(Asks[None]):
    """The artifact was changed elsewhere: what differs between the contents `base` and `content` is changed in the
    document too, but for what its editors have changed in the same places. Answers None."""

    base: Any
    """None where it is not known: then `content` is all."""
    content: Any
    version: int


@dataclass(frozen=True, slots=True)
class GetState(Asks["State"]):
    """Answers a `State`, once all edits that are here are on disk or refused."""


@dataclass(frozen=True, slots=True)
class State:
    content: Any
    edits: int
    """Committed since the start of the actor."""
    editor: Identity | None
    """Whose edit was the last one."""


@dataclass(slots=True)
class _Waiting:
    """Edits of one editor that are not on disk yet, and what it has asked lately."""

    edits: list[bytes] = field(default_factory=list)
    size: int = 0
    is_writing: bool = False
    questions: int = 0
    asked_since: float = 0.0
    """What it has asked since then, by the clock of the event loop."""


class DocumentActor(LoopActor):
    def __init__(
        self,
        artifact_id: str,
        replica: Replica,
        newest: int,
        *,
        append: Callable[[Any], Any],
        merge: Callable[[Sequence[bytes]], bytes],
        on_rest: Callable[[], None],
        on_empty: Callable[[], None],
        rest_seconds: float,
    ) -> None:
        """`newest`: number of the last edit on disk. `append` gives a command to the journal; `merge` makes one edit of
        several, and raises `Malformed`."""
        super().__init__()
        self._artifact_id = artifact_id
        self._replica = replica
        self._newest = newest
        self._append, self._merge = append, merge
        self._on_rest, self._on_empty = on_rest, on_empty
        self._rest_seconds = rest_seconds
        self._waiting: dict[Editor, _Waiting] = {}
        self._cursors: Cursors[Editor] = Cursors()
        self._types = edits.types_in(replica.whole(), bounded=False)
        self._counted_at = 0
        """How many edits there were."""
        self._ahead: set[int] = set()
        """Numbers of edits that are applied though an earlier one is not."""
        self._last: Identity | None = None
        self._edits = 0
        self._unfolded = 0
        self._on_their_way = 0
        """Edits that the journal has."""
        self._asking: list[LoopFuture[Any]] = []
        self._timer: asyncio.TimerHandle | None = None

    # Editors

    @handles(Join)
    def _join(self, message: Join) -> None:
        if len(self._waiting) >= limits.EDITORS_PER_DOCUMENT:
            raise Conflict(
                f"{limits.EDITORS_PER_DOCUMENT} editors have this document open; try again later.", code="editors_full"
            )
        self._waiting[message.editor] = _Waiting()
        message.editor.send(wire.ask(self._replica.vector()))
        if cursors := self._cursors.all:
            message.editor.send(wire.show(cursors))

    @handles(Leave)
    def _leave(self, message: Leave) -> None:
        if self._waiting.pop(message.editor, None) is None:
            return
        self._show(self._cursors.leave(message.editor))
        if not self._waiting:
            self._on_empty()

    @handles(Received)
    def _received(self, message: Received) -> None:
        if message.editor not in self._waiting:
            return
        try:
            self._take(message.editor, wire.read(message.frame))
        except (Malformed, TooLarge) as error:
            message.editor.close(MALFORMED[0], error.detail)

    @handles(Handle)
    def _handled(self, _: Handle) -> None:
        pass

    def _take(self, editor: Editor, frame: wire.Frame) -> None:
        match frame:
            case wire.Ask() | wire.AskCursors() if self._asks_too_much(editor):
                editor.close(*FLOODED)
            case wire.Ask(vector):
                editor.send(wire.answer(self._replica.missing(vector)))
            case wire.Edit(data, is_answer):
                self._edit(editor, data, is_answer=is_answer)
            case wire.Show(cursors):
                fitting = (cursor for cursor in cursors if len(cursor.state) <= limits.CURSOR_BYTES)
                self._show(self._cursors.update(editor, fitting))
            case wire.AskCursors():
                editor.send(wire.show(self._cursors.all))

    def _asks_too_much(self, editor: Editor) -> bool:
        waiting, now = self._waiting[editor], asyncio.get_running_loop().time()
        if now - waiting.asked_since >= limits.EDITOR_QUESTIONS_SECONDS:
            waiting.questions, waiting.asked_since = 0, now
        waiting.questions += 1
        return waiting.questions > limits.EDITOR_QUESTIONS

    def _show(self, cursors: Sequence[Cursor]) -> None:
        """Also to the editor whose cursor it is: `y-websocket` takes a server that is silent for half a minute for one
        that is gone."""
        if cursors:
            frame = wire.show(cursors)
            for editor in self._waiting:
                editor.send(frame)

    # Edits

    def _edit(self, editor: Editor, edit: bytes, *, is_answer: bool) -> None:
        if edit == wire.NOTHING:
            return
        if not editor.may_write:
            if not (is_answer and edits.changes_nothing_but_deletions(edit)):
                editor.send(wire.denied("You may read this artifact, and not change it."))
            return
        self._must_fit(edit)
        edit = self._merge([edit])
        waiting = self._waiting[editor]
        waiting.edits.append(edit)
        waiting.size += len(edit)
        self._write(editor, waiting)

    def _must_fit(self, edit: bytes) -> None:
        if len(edit) > limits.EDIT_BYTES:
            raise TooLarge("An edit", limits.EDIT_BYTES, len(edit))
        new = edits.types_in(edit)
        if self._types + new > limits.DOCUMENT_TYPES:
            self._count_types()
        types = self._types + new
        if types > limits.DOCUMENT_TYPES:
            raise TooLarge("The shared types of a document", limits.DOCUMENT_TYPES, types, "types")
        if self._replica.size + len(edit) > limits.DOCUMENT_BYTES:
            what = "The document of an artifact, with what its edits leave behind,"
            raise TooLarge(what, limits.DOCUMENT_BYTES, None)
        self._types = types

    def _count_types(self) -> None:
        """Without those that were deleted: seldom, as it takes a while, and while no edit is on its way to the disk, as
        it would not be counted."""
        is_quiet = not self._on_their_way and not any(waiting.edits for waiting in self._waiting.values())
        if is_quiet and self._edits - self._counted_at >= limits.EDITS_FOLDED:
            self._types, self._counted_at = edits.types_in(self._replica.whole(), bounded=False), self._edits

    def _write(self, editor: Editor, waiting: _Waiting) -> None:
        if not waiting.is_writing and waiting.edits:
            edit = self._merge(waiting.edits) if len(waiting.edits) > 1 else waiting.edits[0]
            waiting.edits.clear()
            waiting.is_writing = True
            command = AppendEdit(artifact_id=self._artifact_id, edit=edit, identity=editor.identity)
            self._commit(command, lambda error: self._written(editor, waiting, edit, error))
        editor.has_room(waiting.size)

    def _commit(self, command: AppendEdit, then: Callable[[XpError | None], None]) -> None:
        try:
            reply = self._append(command)
        except XpError as error:
            then(error)
            return
        self._on_their_way += 1

        def landed(outcome: Any) -> None:
            self._on_their_way -= 1
            then(self._committed(command, outcome))
            self._answer_state()

        reply.when_done(landed)

    def _committed(self, command: AppendEdit, outcome: Any) -> XpError | None:
        if outcome.error is not None:
            error: XpError = outcome.error
            return error
        done: Done[Any] = outcome.result()
        assert isinstance(done.result, int)
        self._ahead.add(done.result)
        return None

    def _written(self, editor: Editor, waiting: _Waiting, edit: bytes, error: XpError | None) -> None:
        waiting.is_writing = False
        if error is not None:
            self._refused(editor, waiting, error)
            return
        waiting.size = sum(map(len, waiting.edits))
        self._last = editor.identity
        self._apply(edit, editor)
        self._write(editor, waiting)

    def _refused(self, editor: Editor, waiting: _Waiting, error: XpError) -> None:
        """Its client has what the server has not, and what waited behind it: it learns why, and comes with both."""
        waiting.edits.clear()
        waiting.size = 0
        editor.has_room(0)
        if isinstance(error, Forbidden | Conflict):
            editor.may_write = False
            editor.send(wire.denied(error.detail))
        else:
            editor.close(RELOAD[0], error.detail)

    def _apply(self, edit: bytes, source: Editor | None) -> None:
        try:
            self._replica.apply(edit)
        except Malformed as error:
            logger.warning("an edit of artifact %s cannot be applied: %s", self._artifact_id, error.detail)
        frame = wire.update(edit)
        for editor in self._waiting:
            if editor is not source:
                editor.send(frame)
        while self._newest + 1 in self._ahead:
            self._newest += 1
            self._ahead.remove(self._newest)
        self._edits += 1
        self._unfolded += 1
        if self._unfolded >= limits.EDITS_FOLDED:
            self._fold()
        self._restart_timer()

    def _fold(self) -> None:
        """Up to the newest edit before which all are applied: what is on its way stays beside the state."""
        self._unfolded = 0
        newest = self._newest
        command = FoldEdits(artifact_id=self._artifact_id, state=self._replica.whole(), newest=newest)
        try:
            self._append(command).when_done(lambda _: None)
        except XpError as error:
            logger.warning("the edits of artifact %s were not folded: %s", self._artifact_id, error.detail)

    def _restart_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(self._rest_seconds, self._on_rest)

    # What happens elsewhere

    @handles(AccessSeen)
    def _access_seen(self, message: AccessSeen) -> None:
        for editor in [one for one in self._waiting if one.identity.user.key in message.users]:
            if not message.access.may_read(editor.identity):
                editor.close(*ENDED)
                continue
            could, may = editor.may_write, message.access.may_write(editor.identity.user.key)
            editor.may_write = editor.is_writer and may
            if editor.may_write and not could:  # what was refused is sent again: later edits rest on it
                editor.send(wire.ask(self._replica.vector()))

    @handles(Revise)
    def _revise(self, message: Revise) -> Any:
        edit = self._replica.towards(self._with_changes(message))
        reply = self.defer()
        command = AppendEdit(artifact_id=self._artifact_id, edit=edit, identity=None, version=message.version)

        def written(error: XpError | None) -> None:
            if error is not None:
                reply.set_exception(error)
                return
            self._apply(edit, None)
            reply.set(None)

        self._commit(command, written)
        return reply

    def _with_changes(self, message: Revise) -> Any:
        if message.base is None:
            return message.content
        current, changed = self._replica.content(), hunks(message.base, message.content)
        standing = zip(changed, standings(message.base, current, changed), strict=True)
        return merged(message.base, current, [hunk for hunk, found in standing if found == "clean"])

    @handles(GetState)
    def _state(self, _: GetState) -> Any:
        reply = self.defer()
        self._asking.append(reply)
        self._answer_state()
        return reply

    def _answer_state(self) -> None:
        """An error `Malformed` where it is no content."""
        if self._on_their_way or not self._asking:
            return
        asking, self._asking = self._asking, []
        for reply in asking:
            try:
                reply.set(State(self._replica.content(), self._edits, self._last))
            except Malformed as error:
                reply.set_exception(error)

    def on_stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._unfolded:
            self._fold()
        for editor in list(self._waiting):
            editor.close(*RELOAD)
