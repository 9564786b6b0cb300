"""A kind of event is declared once; all that replays, shows and documents it is there for every kind, and no other."""

import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from actors.events import EventKind, EventKinds, UnknownEventKind
from actors.resources import thread_events, user_events
from server.api import events
from server.api.event_views import DataViews
from storage.resources.log import reading as log
from storage.resources.user_log import reading as user_log
from tests.builders import message_event

DOCS = Path(__file__).parent.parent / "docs"
LOGS = {
    "thread": (thread_events.KINDS, log.loaders(), events.THREAD_VIEWS, "realtime.md"),
    "user": (user_events.KINDS, user_log.USER_LOADERS, events.USER_VIEWS, "notifications.md"),
}


@pytest.mark.parametrize(("kinds", "loaders", "views", "page"), LOGS.values(), ids=LOGS)
def test_every_kind_has_a_loader_a_view_and_a_row_in_the_docs(
    kinds: EventKinds, loaders: dict[EventKind, object], views: DataViews, page: str
) -> None:
    declared = set(kinds.values())
    assert loaders.keys() == declared
    assert views.keys() == declared
    rows = re.findall(r"^\| `([a-z_.]+)` \|", (DOCS / page).read_text(), re.MULTILINE)
    assert {name: rows.count(name) for name in kinds} == dict.fromkeys(kinds, 1)


def test_every_ephemeral_kind_has_a_view() -> None:
    assert events.EPHEMERAL_VIEWS.keys() == set(thread_events.EPHEMERAL_KINDS)
    assert events.USER_EPHEMERAL_VIEWS.keys() == {user_events.UNREAD}


@pytest.mark.parametrize("kinds", [thread_events.KINDS, user_events.KINDS])
def test_an_unknown_kind_is_an_error(kinds: EventKinds) -> None:
    with pytest.raises(UnknownEventKind, match=r"Expected a kind of event \(.*\), got 'thread.renamed'\."):
        kinds["thread.renamed"]
    assert "thread.renamed" not in kinds


def test_an_event_of_an_unknown_kind_is_not_shown() -> None:
    with pytest.raises(UnknownEventKind):
        events.event(replace(message_event(2), type="thread.renamed"))


def test_a_kind_is_declared_once() -> None:
    first, second = EventKind("a", str, None), EventKind("a", str, None)
    assert list(EventKinds(vars(SimpleNamespace(a=first, b=first)))) == ["a"]
    with pytest.raises(ValueError, match="'a' is declared twice"):
        EventKinds(vars(SimpleNamespace(a=first, b=second)))


def test_access_ends_with_these() -> None:
    ending = {kind.name: kind.ends_access for kind in thread_events.KINDS.values() if kind.ends_access}
    assert ending == {"thread.deleted": "everyone", "member.removed": "member"}
    assert not any(kind.ends_access for kind in user_events.KINDS.values())
