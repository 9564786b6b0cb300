"""Titles of threads in the full-text search."""

from contextlib import AbstractContextManager
from typing import Final

from peewee import SqliteDatabase

from actors.resources.search import THREADS
from actors.resources.threads import THREAD_CREATED
from storage.schema.models import Event, Thread
from storage.search import index
from storage.search.searched import Searched

TITLES: Final = Searched(
    THREADS,
    (THREAD_CREATED,),
    source=Event,
    thread=Event.thread,
    position=Event.position,
    uid=Thread.uid,
    author=Thread.creator,
    text=Thread.title,
    made_at=Event.time,
    there=(Event.type == THREAD_CREATED.name) & Thread.deleted_at.is_null(),
)
SEARCHED: Final = (TITLES,)


def retitling(database: SqliteDatabase, thread_key: int) -> AbstractContextManager[None]:
    """Around a change of the title, or the deletion of the thread."""
    return index.changing(database, TITLES, (Event.thread == thread_key) & (Event.offset == 1))
