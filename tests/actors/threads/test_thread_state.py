"""What a thread's actor knows of it: moved on by events, each of which counts once."""

from dataclasses import replace
from typing import Any

import pytest

from actors.errors import Forbidden, NotFound
from actors.event_kinds import KINDS
from actors.events import Event
from actors.resources.members import Member, MemberGone, MemberRole, ReadChange
from actors.resources.messages import Message
from actors.resources.reactions import ReactionChange
from actors.resources.threads import ControlChange, Thread, ThreadGone
from actors.resources.users import Author
from actors.threads.state import ThreadState, changes_access
from tests.builders import identity, message_event

ANA, BO = Author(1, "a", "Ana", "HUMAN"), Author(2, "b", "Bo", "HUMAN")


def event(offset: int, event_type: str, data: object) -> Event:
    return replace(message_event(offset), type=event_type, data=data)


def member(who: Author, role: MemberRole) -> Member:
    return Member("t", who, role, 0, 0, False, 1, 0)


def thread(**fields: Any) -> Thread:
    known: dict[str, Any] = {"status": "ACTIVE", "version": 1, **fields}
    return Thread(
        key=1, id="t", title="T", creator=ANA, metadata="{}", message_count=0, offset=0, position=0,
        last_message=None, membership=None, created_at=0, updated_at=0, **known,
    )  # fmt: skip


def beginning() -> ThreadState:
    return ThreadState(1, "t", "ACTIVE", 1, {1: "OWNER"})


def test_members_come_change_and_go() -> None:
    state = beginning()
    state.apply(event(2, "member.added", member(BO, "MEMBER")))
    assert (state.role_of(2), state.offset) == ("MEMBER", 2)
    state.apply(event(3, "member.updated", member(BO, "VIEWER")))
    assert state.role_of(2) == "VIEWER"
    state.apply(event(4, "member.removed", MemberGone(BO)))
    assert (state.role_of(2), state.roles) == (None, {1: "OWNER"})
    state.apply(event(5, "member.removed", MemberGone(BO)))  # who was not there
    assert state.offset == 5


def test_an_event_counts_once_and_never_after_a_later_one() -> None:
    state = beginning()
    state.apply(event(2, "member.added", member(BO, "MEMBER")))
    state.apply(event(3, "member.updated", member(BO, "VIEWER")))
    for late in (event(2, "member.added", member(BO, "MEMBER")), event(3, "member.removed", MemberGone(BO))):
        state.apply(late)
        assert (state.role_of(2), state.offset) == ("VIEWER", 3)


def test_the_status_follows() -> None:
    state = beginning()
    state.apply(event(2, "thread.updated", thread(status="CLOSED")))
    assert state.status == "CLOSED"


def test_who_has_the_floor_follows() -> None:
    state = beginning()
    state.apply(event(2, "thread.updated", thread(control="human", while_streaming="interrupt")))
    assert (state.control, state.while_streaming) == ("human", "interrupt")
    state.apply(event(3, "control.changed", ControlChange("shared", "human", "")))
    assert (state.control, state.while_streaming) == ("shared", "interrupt")


def streamed(**fields: Any) -> Message:
    known = message_event(2).data
    assert isinstance(known, Message)
    return replace(known, id="s", **{"status": "STREAMING", "content": "so far", **fields})


@pytest.mark.parametrize("ended", [{"status": "COMPLETE"}, {"deleted_at": 1}])
def test_a_message_is_open_while_it_is_written(ended: dict[str, Any]) -> None:
    state, bot = beginning(), Author(2, "b", "Bot", "ASSISTANT")
    state.apply(event(2, "message.created", streamed(author=bot)))
    stream = state.streams["s"]
    assert (stream.author_key, stream.author_kind, stream.text) == (2, "ASSISTANT", "so far")
    state.apply(event(3, "message.updated", streamed(author=bot, content="edited")))
    assert state.streams == {"s": stream}, "what was appended is not lost"
    for offset in (4, 5):
        state.apply(event(offset, "message.updated", streamed(author=bot, **ended)))
        assert state.streams == {}


def test_in_a_deleted_thread_nobody_has_a_role() -> None:
    state = beginning()
    state.apply(event(2, "thread.deleted", ThreadGone("t")))
    assert state.deleted
    assert state.role_of(1) is None


@pytest.mark.parametrize("data", [ReactionChange("m", "👍", BO, 1), ReadChange(BO, 1, 1), message_event(2).data])
def test_what_is_of_no_account_moves_only_the_head(data: Any) -> None:
    state = beginning()
    state.apply(event(2, "message.created", data))
    assert state == ThreadState(1, "t", "ACTIVE", 2, {1: "OWNER"})


def test_after_which_events_somebody_may_see_less() -> None:
    less = {name for name in KINDS if changes_access(event(2, name, ThreadGone("t")))}
    assert less == {"thread.deleted", "member.removed"}


def test_who_may_write_and_go_on_with_what_they_write() -> None:
    state = ThreadState(1, "t", "ACTIVE", 1, {1: "OWNER", 2: "VIEWER"})
    for must in (state.must_write, state.must_go_on):
        must(identity(1))
        for key, error in ((2, Forbidden), (3, NotFound)):
            with pytest.raises(error):
                must(identity(key))


def test_who_may_see_a_thread() -> None:
    """Admins see every thread, and nobody one that is deleted: open connections of admins lose it too."""
    state = beginning()
    people = {"owner": identity(1), "stranger": identity(2), "admin": identity(3, role="ADMIN")}
    assert {name: state.may_see(who) for name, who in people.items()} == {
        "owner": True, "stranger": False, "admin": True,
    }  # fmt: skip
    state.apply(event(2, "thread.deleted", ThreadGone("t")))
    assert not any(map(state.may_see, people.values()))
