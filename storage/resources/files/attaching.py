"""Messages that show files. A file shown in a thread belongs to it: one that is outside any joins it."""

from collections.abc import Sequence

from actors.auth.identity import Identity
from actors.errors import Conflict, NotFound, XpError
from actors.events import Event
from actors.resources.files.file import File
from storage.compiled import insert_rows
from storage.journal.transaction import Transaction
from storage.resources.files import places, records, writing
from storage.schema import file_models

_M = file_models.MessageFile
_INSERT = insert_rows(_M, (_M.message, _M.place, _M.file))


def fault(tx: Transaction, identity: Identity, thread_id: str, file_ids: Sequence[str]) -> XpError | None:
    """Why a message in this thread may not show these files; asked before anything is written."""
    for file_id in file_ids:
        place = places.there(tx, file_id)
        is_there = place is not None and place.thread is not None and place.thread[1] == thread_id
        if place is None or not (is_there or place.owner == identity.user.key):
            return NotFound("file", file_id)
        if not is_there and place.thread is not None:
            return Conflict(
                f"File {file_id!r} belongs to another thread; move it here, or upload it again.", code="file_elsewhere"
            )
    return None


def attach(
    tx: Transaction, identity: Identity, thread: tuple[int, str], message_key: int, file_ids: Sequence[str]
) -> tuple[tuple[File, ...], tuple[Event, ...]]:
    """The files as the message shows them, and what is logged of those that join the thread by it."""
    tx.execute(_M.delete().where(_M.message == message_key))
    keys: list[int] = []
    events: list[Event] = []
    for file_id in file_ids:
        place = places.there(tx, file_id)
        assert place is not None  # `fault` has looked
        keys.append(place.key)
        if place.thread is None:
            events += writing.join(tx, place, thread, identity.author).events
    _INSERT.run(tx.database, [(message_key, number, key) for number, key in enumerate(keys)])
    found = records.by_key(tx.database, keys)
    return tuple(found[key] for key in keys), tuple(events)
