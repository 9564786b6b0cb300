"""What a legal hold protects, as conditions of queries: rules that remove something leave it out.

A hold on a thread protects all that is in it. A hold on a user protects what they wrote, and the threads that they are
in or have done something in: a conversation is kept as a whole.
"""

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

from peewee import Database, fn

from storage.readers import rows
from storage.schema import models
from storage.schema.hold_models import LegalHold as H

_E, _P, _T, _U = models.Event, models.Member, models.Thread, models.User
_FREE: WeakKeyDictionary[Database, tuple[object, set[int]]] = WeakKeyDictionary()
"""What holds there are on users → users who were found to share no thread with those."""


def held_users() -> Any:
    """A query of their keys."""
    return H.select(H.user).where(H.user.is_null(False))


def is_thread_held(thread: Any) -> Any:
    """`thread`: a column with the key of a thread. Logs are only looked through while there is a hold on a user."""
    users = held_users()
    acted = _E.select(_E.position).where((_E.thread == thread) & _E.actor.in_(users))
    joined = _P.select(_P.user).where((_P.thread == thread) & _P.user.in_(users))
    by_user = fn.EXISTS(users) & (fn.EXISTS(joined) | fn.EXISTS(acted))
    return fn.EXISTS(H.select(H.id).where(H.thread == thread)) | by_user


def is_user_held(user: Any) -> Any:
    """`user`: a column, or a key. By a hold on them, or on a thread in which they have done something: who they were,
    and what they wrote there, is a part of it."""
    acted = _E.select(_E.position).join(H, on=(H.thread == _E.thread)).where(_E.actor == user)
    return fn.EXISTS(H.select(H.id).where(H.user == user)) | fn.EXISTS(acted)


def shares_held_thread(user: int) -> Any:
    """Whether a user has done something in a thread that a hold on another one protects, as long as one of them is in
    it. Looks through the logs of these threads: for a deletion, not for each of its steps."""
    users = held_users()
    there = _P.select(_P.thread).where((_P.user == user) | _P.user.in_(users))
    acted = _E.select(_E.position).where((_E.thread == _T.id) & (_E.actor == user))
    threads = _T.select(_T.id).where(_T.id.in_(there) & fn.EXISTS(acted) & is_thread_held(_T.id))
    return fn.EXISTS(users) & fn.EXISTS(threads)


def is_held_by_another(database: Database, user: int) -> bool:
    """`shares_held_thread`, for each step of an erasure: looked up anew only when holds on users, or the threads of
    these, have changed."""
    threads = _P.select(fn.COUNT(_P.thread), fn.SUM(_P.thread)).where(_P.user.in_(held_users()))
    holds = rows.first(database, H.select(fn.GROUP_CONCAT(H.uid)).where(H.user.is_null(False)))
    if holds == (None,):
        return False
    now = (holds, rows.first(database, threads))
    if database not in _FREE or _FREE[database][0] != now:
        _FREE[database] = (now, set())
    _, free = _FREE[database]
    if user not in free and not rows.first(database, _U.select(_U.id).where(shares_held_thread(user)).limit(1)):
        free.add(user)
    return user not in free


def held_threads(database: Database, keys: Sequence[int]) -> set[int]:
    """Those of the threads that are held."""
    query = _T.select(_T.id).where(_T.id.in_(keys) & is_thread_held(_T.id))
    return {key for (key,) in rows.fetch(database, query)}


def is_file_held(owner: Any, thread: Any) -> Any:
    """Columns of a file; of one that is in no thread, `thread` is null."""
    return fn.EXISTS(H.select(H.id).where(H.user == owner)) | is_thread_held(thread)
