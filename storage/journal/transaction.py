"""One journal transaction: the clock it uses, positions it hands out, and the log entries it writes."""

from collections.abc import Iterable
from typing import Any, cast

import orjson
from peewee import SqliteDatabase

from actors import limits
from actors.commands import Unset
from actors.errors import NotFound
from actors.event_kinds import KINDS
from actors.events import Event, EventKind
from actors.resources.files.file import NO_QUOTAS, Quotas
from actors.resources.members import MemberRole
from actors.resources.users import Author
from storage.clock import now_ms
from storage.compiled import Prepared
from storage.readers import access, rows
from storage.schema import models


class Transaction:
    """What the handlers of commands work on. A refusal is raised; the store then undoes what the command did."""

    def __init__(
        self,
        database: SqliteDatabase,
        position: int,
        quotas: Quotas = NO_QUOTAS,
        artifact_versions: int = limits.ARTIFACT_VERSIONS,
    ) -> None:
        self.database = database
        self.quotas = quotas
        self.artifact_versions = artifact_versions
        """Kept of each artifact."""
        self.start = position
        self.position = position
        """The newest position handed out."""
        self.now = now_ms()

    def is_within(self, column: Any, seconds: int) -> Any:
        """A condition: in the last so many seconds. Not what a clock that was ahead has dated, which would be so until
        the clock gets there."""
        return (column > self.now - seconds * 1000) & (column <= self.now)

    @property
    def written(self) -> int:
        """Grows with each row that is written: what was refused before that has nothing to be undone."""
        return int(self.database.connection().total_changes)

    def next_positions(self, count: int) -> int:
        """Reserve `count` positions; answers the first."""
        start = self.position + 1
        self.position += count
        return start

    def log(
        self,
        thread: tuple[int, str],
        kind: EventKind,
        actor: Author,
        data: object,
        *,
        ref: int | None = None,
        small: dict[str, Any] | None = None,
    ) -> Event:
        """Write one log entry: takes the thread's next offset inside the transaction."""
        KINDS.require(kind)
        thread_key, thread_id = thread
        position = self.next_positions(1)
        offset = self.advance(thread_key, position)
        _LOG.execute(
            self.database, position=position, thread=thread_key, offset=offset, type=kind.name, actor=actor.key,
            time=self.now, ref=ref, data=orjson.dumps(small).decode() if small is not None else None,
        )  # fmt: skip
        return Event(thread_key, thread_id, position, offset, kind.name, self.now, actor, data)

    def advance(self, thread_key: int, position: int) -> int:
        return int(_ADVANCE.all(self.database, thread=thread_key, position=position)[0][0])

    # What commands look at before they write

    def thread(self, thread_id: str) -> tuple[int, str, str]:
        """(key, id, status) of a thread that is there."""
        row = _THREAD.first(self.database, uid=thread_id)
        if row is None:
            raise NotFound("thread", thread_id)
        return cast("tuple[int, str, str]", row)  # the columns of its query

    def role(self, thread_key: int, user_key: int) -> MemberRole | None:
        return access.role(self.database, thread_key, user_key)

    def author(self, user_key: int) -> Author:
        return rows.authors(self.database, [user_key])[user_key]

    def execute(self, query: Any) -> Any:
        return query.execute(self.database)


_T, _E = models.Thread, models.Event
_THREAD = Prepared(
    lambda given: _T.select(_T.id, _T.uid, _T.status).where(_T.uid == given.uid, _T.deleted_at.is_null())
)
_ADVANCE = Prepared(
    lambda given: (
        _T.update(offset=_T.offset + 1, position=given.position).where(_T.id == given.thread).returning(_T.offset)
    )
)
_LOG = Prepared(
    lambda given: _E.insert(
        position=given.position, thread=given.thread, offset=given.offset, type=given.type, actor=given.actor,
        time=given.time, ref=given.ref, data=given.data,
    )
)  # fmt: skip


def given(**fields: Any) -> dict[str, Any]:
    """Those fields of a partial update that were set."""
    return {name: value for name, value in fields.items() if not isinstance(value, Unset)}


def changed(before: Iterable[tuple[str, Any]], fields: dict[str, Any]) -> dict[str, Any]:
    """Those of `fields` whose value differs from the present one: a no-op writes and logs nothing."""
    present = dict(before)
    return {name: value for name, value in fields.items() if present.get(name) != value}
