"""Events about members, loaded for a replay: with their rights as they are now."""

from typing import Final

import orjson

from actors.resources.members import (
    MEMBER_ADDED,
    MEMBER_REMOVED,
    MEMBER_UPDATED,
    READ_UPDATED,
    Member,
    MemberGone,
    ReadChange,
)
from actors.resources.user_events import THREAD_JOINED, THREAD_LEFT, THREAD_READ
from storage.readers import rows
from storage.resources.log.replay import Entry, Loaders, Replay
from storage.resources.members import markers
from storage.resources.user_log.replay import UserLoaders, facts


def _member(replay: Replay, entry: Entry) -> Member | MemberGone:
    """A member who has left since is replayed as gone."""
    member = rows.member(replay.database, entry.thread, entry.ref)
    return markers.shown(replay.database, [member], None)[0] if member else _gone(replay, entry)


def _gone(replay: Replay, entry: Entry) -> MemberGone:
    return MemberGone(replay.authors[entry.ref])


def _read(replay: Replay, entry: Entry) -> ReadChange:
    return ReadChange(replay.authors[entry.ref], **orjson.loads(entry.data or "{}"))


LOADERS: Final[Loaders] = {
    MEMBER_ADDED: _member,
    MEMBER_UPDATED: _member,
    MEMBER_REMOVED: _gone,
    READ_UPDATED: _read,
}
USER_LOADERS: Final[UserLoaders] = {THREAD_JOINED: facts, THREAD_LEFT: facts, THREAD_READ: facts}
