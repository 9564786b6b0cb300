"""Where a search looks: what the caller may see now, and asks for."""

from dataclasses import dataclass
from typing import Any

from peewee import SqliteDatabase, fn

from actors import limits, permissions
from actors.auth.identity import Identity
from actors.errors import NotFound
from actors.resources.search import Search
from storage.readers import access, rows
from storage.schema import models
from storage.search import documents
from storage.search.searched import named

_T, _M, _P = models.Thread, models.Message, models.Member


@dataclass(frozen=True, slots=True)
class Scope:
    tags: tuple[tuple[str, ...], ...]
    """Groups; a document must have a tag of each."""
    threads: Any
    """Condition of a query that joins threads: the same bound, as rows have it."""
    after: int | None
    before: int | None
    least: int
    """Log positions that correspond to the times, approximately."""
    most: int
    is_empty: bool = False


def scope(database: SqliteDatabase, identity: Identity, search: Search) -> Scope:
    """Raises `NotFound` for a thread that the caller may not see, or an author who is not there; `Forbidden`."""
    tags, threads = _where(database, identity, search)
    if search.author_id is not None:
        tags.append((documents.by_author(_author(database, search.author_id)),))
    if search.type is not None:
        tags.append((documents.of_type(search.type),))
    if search.has is not None:
        tags.append((documents.having(search.has),))
    if search.kind is not None:
        tags.append((documents.MESSAGE if search.kind == "message" else named(search.kind).tag,))
    least, most = _positions(database, search.after, search.before)
    return Scope(tuple(tags), threads, search.after, search.before, least, most, () in tags)


def _where(database: SqliteDatabase, identity: Identity, search: Search) -> tuple[list[tuple[str, ...]], Any]:
    if search.everything:
        permissions.must_administer(identity)
    if search.thread_id is not None:
        key, _ = access.visible_thread(database, identity, search.thread_id)
        return [(documents.in_thread(key),)], _T.id == key
    there = _T.deleted_at.is_null()
    if search.everything:
        return [], there
    mine = fn.EXISTS(_P.select(_P.user).where((_P.thread == _T.id) & (_P.user == identity.user.key)))
    keys = _threads_of(database, identity.user.key)
    named = [tuple(map(documents.in_thread, keys))] if len(keys) <= limits.SEARCH_THREADS else []
    return named, there & mine


def _threads_of(database: SqliteDatabase, user_key: int) -> list[int]:
    query = _T.select(_T.id).join(_P, on=(_P.thread == _T.id)).where((_P.user == user_key) & _T.deleted_at.is_null())
    return [key for (key,) in rows.fetch(database, query.limit(limits.SEARCH_THREADS + 1))]


def _author(database: SqliteDatabase, user_id: str) -> int:
    row = rows.first(database, models.User.select(models.User.id).where(models.User.uid == user_id))
    if row is None:
        raise NotFound("user", user_id)
    return int(row[0])


# Times


def _positions(database: SqliteDatabase, after: int | None, before: int | None) -> tuple[int, int]:
    """Bounds that leave out nothing between the times, though they may let in more: that is looked at one by one."""
    least = 0 if after is None else _first_since(database, after - limits.CLOCK_SKEW_MS)[0]
    later = None if before is None else _first_since(database, before + limits.CLOCK_SKEW_MS)[1]
    return least, 2**62 if later is None else later - 1


def _first_since(database: SqliteDatabase, time: int) -> tuple[int, int | None]:
    """A position before which all is older than `time`, and the first message from there on.

    By halving: keys and times rise together, so no index of times is needed.
    """
    row = rows.first(database, _M.select(fn.MAX(_M.id)))
    low, high = 1, (row[0] if row and row[0] else 0) + 1
    while low < high:
        middle = (low + high) // 2
        there = _at_or_after(database, middle)
        if there is None or there[1] >= time:
            high = middle
        else:
            low = there[0] + 1
    there = _at_or_after(database, low)
    return low, there[0] if there else None


def _at_or_after(database: SqliteDatabase, key: int) -> tuple[int, int] | None:
    """(key, time) of a message."""
    row = rows.first(database, _M.select(_M.id, _M.created_at).where(_M.id >= key).order_by(_M.id))
    return (row[0], row[1]) if row else None
