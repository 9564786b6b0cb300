"""Events about members, on the wire."""

from typing import Final

from actors.events import Event
from actors.resources.members import (
    MEMBER_ADDED,
    MEMBER_REMOVED,
    MEMBER_UPDATED,
    READ_UPDATED,
    Member,
    MemberGone,
    ReadChange,
)
from server.api import render
from server.api.event_views import DataView, DataViews
from server.api.fields import Id, View
from server.resources.threads.views import MemberView
from server.resources.users.views import AuthorView


class MemberGoneView(View):
    thread_id: Id
    user: AuthorView


class ReadChangeView(View):
    user: AuthorView
    last_read_offset: int


def _member(event: Event, member: Member | MemberGone) -> render.Json:
    return _gone(event, member) if isinstance(member, MemberGone) else render.member(member)


def _gone(event: Event, gone: MemberGone) -> render.Json:
    return {"thread_id": event.thread_id, "user": render.author(gone.user)}


def _read(_: Event, change: ReadChange) -> render.Json:
    return {"user": render.author(change.user), "last_read_offset": change.last_read_offset}


VIEWS: Final[DataViews] = {
    MEMBER_ADDED: DataView(MemberView, _member),
    MEMBER_UPDATED: DataView(MemberView, _member),
    MEMBER_REMOVED: DataView(MemberGoneView, _gone),
    READ_UPDATED: DataView(ReadChangeView, _read),
}
