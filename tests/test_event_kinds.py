"""A kind of event is declared once; all that replays, shows and documents it is there for every kind, and no other."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from actors.event_kinds import EPHEMERAL_KINDS, KINDS, USER_EPHEMERAL_KINDS, USER_KINDS
from actors.events import EventKind, EventKinds, UnknownEventKind
from server.api import events
from storage.resources.log import reading as log
from storage.resources.user_log import reading as user_log
from tests.builders import message_event

DOCS = Path(__file__).parent.parent / "docs"
LOGS = {
    "thread": (KINDS, log.loaders(), "realtime.md"),
    "user": (USER_KINDS, user_log.loaders(), "notifications.md"),
}


@pytest.mark.parametrize(("kinds", "loaders", "page"), LOGS.values(), ids=LOGS)
def test_every_kind_has_a_loader_and_a_row_in_the_docs(
    kinds: EventKinds, loaders: dict[EventKind, object], page: str
) -> None:
    assert loaders.keys() == set(kinds.values())
    rows = re.findall(r"^\| `([a-z_.]+)` \|", (DOCS / page).read_text(), re.MULTILINE)
    assert {name: rows.count(name) for name in kinds} == dict.fromkeys(kinds, 1)


def test_every_kind_has_a_view_and_no_view_lacks_its_kind() -> None:
    logged = {*KINDS.values(), *USER_KINDS.values()}
    assert events.views().keys() == {*logged, *EPHEMERAL_KINDS, *USER_EPHEMERAL_KINDS}
    assert {"typing", "unread"} < {kind.name for kind in (*EPHEMERAL_KINDS, *USER_EPHEMERAL_KINDS)}


@pytest.mark.parametrize("kinds", [KINDS, USER_KINDS])
def test_an_unknown_kind_is_an_error(kinds: EventKinds) -> None:
    with pytest.raises(UnknownEventKind, match=r"Expected a kind of event \(.*\), got 'thread.renamed'\."):
        kinds["thread.renamed"]
    assert "thread.renamed" not in kinds


def test_of_an_event_of_an_unknown_kind_no_data_is_shown() -> None:
    """A newer release has written it."""
    shown = events.event(replace(message_event(2), type="thread.renamed"))
    assert (shown["type"], shown["offset"], shown["data"]) == ("thread.renamed", 2, {})


def test_a_kind_is_declared_once() -> None:
    first, second = EventKind("a", str, None), EventKind("a", str, None)
    assert list(EventKinds([first, first])) == ["a"]
    with pytest.raises(ValueError, match="'a' is declared twice"):
        EventKinds([first, second])


def test_access_ends_with_these() -> None:
    ending = {kind.name: kind.ends_access for kind in KINDS.values() if kind.ends_access}
    assert ending == {"thread.deleted": "everyone", "member.removed": "member"}
    assert not any(kind.ends_access for kind in USER_KINDS.values())
