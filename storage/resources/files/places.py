"""A file as a command finds it: where it is, and what the caller is there. And what logs that it changed."""

from dataclasses import dataclass

from actors import permissions
from actors.auth.identity import Identity
from actors.errors import NotFound
from actors.events import Event, EventKind
from actors.outcomes import Done
from actors.resources.files.file import FILE_UPDATED, File
from actors.resources.files.rules import must_change_file, must_see_file
from actors.resources.members import MemberRole
from actors.resources.threads import ThreadStatus
from actors.resources.users import Author
from storage.compiled import Prepared
from storage.journal.transaction import Transaction
from storage.resources.files import records
from storage.resources.files.texts import FOUND
from storage.schema import file_models, models

_F, _T = file_models.File, models.Thread
_FIND = Prepared(
    lambda given: (
        _F.select(_F.id, _F.uid, _F.owner, _F.version, _F.revision, _T.id, _T.uid, _T.status)
        .left_outer_join(_T, on=(_F.thread == _T.id))
        .where((_F.uid == given.uid) & _F.deleted_at.is_null() & _T.deleted_at.is_null())
    )
)


@dataclass(frozen=True, slots=True)
class Place:
    key: int
    id: str
    owner: int
    version: int
    """Number of the newest; 0: none."""
    revision: int
    thread: tuple[int, str] | None
    status: ThreadStatus | None
    role: MemberRole | None
    """Of the caller in the thread."""

    @property
    def thread_key(self) -> int | None:
        return self.thread[0] if self.thread else None


def find(tx: Transaction, file_id: str, identity: Identity) -> Place:
    """Raises `NotFound` where there is none that the caller may see."""
    place = there(tx, file_id, identity.user.key)
    if place is None:
        raise NotFound("file", file_id)
    must_see_file(identity, place.owner, place.thread is not None, place.role, file_id)
    return place


def there(tx: Transaction, file_id: str, user_key: int | None = None) -> Place | None:
    """For any identity."""
    row = _FIND.first(tx.database, uid=file_id)
    if row is None:
        return None
    key, uid, owner, version, revision, thread_key, thread_id, status = row
    role = tx.role(thread_key, user_key) if thread_key is not None and user_key is not None else None
    thread = (thread_key, thread_id) if thread_key is not None else None
    return Place(key, uid, owner, version, revision, thread, status, role)


def find_to_change(tx: Transaction, file_id: str, identity: Identity) -> Place:
    """Raises `NotFound`, `Forbidden`, or `Conflict` where the thread is closed."""
    place = find(tx, file_id, identity)
    must_change_file(identity, place.owner, place.thread is not None, place.role)
    if place.thread is not None and place.status is not None and not identity.is_admin:
        permissions.must_be_writer(place.role, place.status)
    return place


def changed(
    tx: Transaction, place: Place, actor: Author, kind: EventKind = FILE_UPDATED, **fields: object
) -> Done[File]:
    """Write another revision of the record, and log it where the file is in a thread."""
    update = _F.update(**fields, revision=_F.revision + 1, updated_at=tx.now)
    tx.execute(update.where(_F.id == place.key))
    return logged(tx, place, actor, kind)


def logged(tx: Transaction, place: Place, actor: Author, kind: EventKind) -> Done[File]:
    file = records.by_key(tx.database, [place.key])[place.key]
    return Done(file, log(tx, place.thread, actor, kind, file))


def log(
    tx: Transaction, thread: tuple[int, str] | None, actor: Author, kind: EventKind, file: File
) -> tuple[Event, ...]:
    if thread is None:
        return ()
    event = tx.log(thread, kind, actor, file, ref=file.key)
    if kind in FOUND.created:
        tx.execute(_F.update(position=event.position).where(_F.id == file.key))
    return (event,)
