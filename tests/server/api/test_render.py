"""Records as JSON: what every client sees, what only its owner sees, and what all share."""

from dataclasses import replace

import orjson
import pytest
from pydantic import TypeAdapter

from actors.auth.identity import Identity
from actors.event_kinds import KINDS
from actors.events import Event
from actors.resources.acknowledgements import Acknowledged
from actors.resources.actions import Action, ArtifactAction, Subject
from actors.resources.artifact_streams import ArtifactStream
from actors.resources.artifacts.artifact import Artifact, Provenance, Version
from actors.resources.artifacts.data_sets import DataChanged
from actors.resources.comments.anchors import Anchor
from actors.resources.comments.comment import Comment
from actors.resources.files.file import File
from actors.resources.members import Member, MemberGone, ReadChange
from actors.resources.memory import Memory
from actors.resources.messages import AskedToAcknowledge, Message, ReactionGroup, Revision
from actors.resources.proposals.proposal import Proposal
from actors.resources.reactions import Reacted, Reaction, ReactionChange
from actors.resources.threads import ControlChange, Thread, ThreadGone
from server.api import events, render
from server.resources.memory import MemoryView, memory_view
from server.resources.messages.views import MessageView, ReactedView, ReactionView, RevisionView
from server.resources.threads.views import EventView, MemberView, ThreadView
from server.resources.users.views import UserView
from tests.builders import identity, user

ANA, BO = user(1, name="Ana"), user(2, name="Bo")
ID = "c" + "0" * 24
MEMBER = Member(ID, BO.author, "VIEWER", 3, 2, True, 4, 0)
GROUP = ReactionGroup("👍", 12, (ANA.author, BO.author), True)
MESSAGE = Message(
    7, ID, ID, ANA.author, "TOOL", "text", '[{"type": "t",   "n": 1.0}]', None, '{"a":  1e2}', "COMPLETE", (GROUP,), 5,
    3, 2, 1_000, 2_500,
)  # fmt: skip
THREAD = Thread(
    9,
    ID,
    "T",
    ANA.author,
    "ARCHIVED",
    "{}",
    5,
    8,
    80,
    MESSAGE,
    MEMBER,
    3,
    0,
    61_001,
    3_600_000,
    parts=(Memory(ID, '{"m":1}', 4),),
)


def encoded(value: object) -> str:
    return orjson.dumps(value).decode()


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"), (1, "1970-01-01T00:00:00.001Z"), (999, "1970-01-01T00:00:00.999Z"),
        (1_795_446_000_120, "2026-11-23T15:00:00.120Z"), (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
    ],
)  # fmt: skip
def test_times(milliseconds: int, text: str) -> None:
    assert render.iso_time(milliseconds) == text
    assert render.maybe_time(milliseconds) == text
    assert render.maybe_time(None) is None


def test_what_is_only_carried_goes_out_as_it_came() -> None:
    told = encoded(render.message(MESSAGE))
    assert '[{"type": "t",   "n": 1.0}]' in told
    assert '{"a":  1e2}' in told
    assert encoded(render.carried("{}")) == "{}"
    assert render.carried(None) is None


def view(model: type, rendered: object) -> None:
    """It has exactly the fields that are documented, of their types."""
    TypeAdapter(model).validate_python(orjson.loads(encoded(rendered)), strict=True)


def test_everything_is_as_it_is_documented() -> None:
    view(UserView, render.user(ANA, identity(1)))
    view(MemberView, render.member(MEMBER))
    view(MessageView, render.message(MESSAGE))
    view(MessageView, render.message(replace(MESSAGE, acknowledgement=AskedToAcknowledge((ID,), True, 3, 1))))
    view(MessageView, render.message(replace(MESSAGE, blocks=None, edited_at=None, deleted_at=5, reactions=())))
    view(ThreadView, render.thread(THREAD))
    view(ThreadView, render.thread(replace(THREAD, last_message=None, membership=None, deleted_at=None)))
    view(MemoryView, memory_view(Memory(ID, "{}", 1)))
    view(ReactionView, render.reaction(Reaction("👍", ANA.author, 0)))
    view(ReactedView, render.reacted(Reacted(True, True, MESSAGE)))
    view(RevisionView, render.revision(Revision(1, "x", None, "{}", ANA.author, 0)))


@pytest.mark.parametrize(
    ("viewer", "sees_all"),
    [(identity(1), True), (identity(2), False), (identity(3, role="ADMIN"), True), (None, False)],
)
def test_who_sees_what_of_a_user(viewer: Identity | None, sees_all: bool) -> None:
    told = render.user(ANA, viewer)
    public = {"id", "name", "avatar_url", "kind", "status"}
    private = {"email", "role", "domain", "metadata", "created_at", "updated_at"}
    assert told.keys() == (public | private if sees_all else public)
    assert "subject" not in told
    assert "claims" not in told


def test_keys_of_the_database_stay_inside() -> None:
    for rendered in (
        render.message(MESSAGE),
        render.thread(THREAD),
        render.member(MEMBER),
        render.user(ANA, identity(1)),
    ):
        assert '"key"' not in encoded(rendered)
        assert '"position"' not in encoded(rendered)


def test_unread_is_what_was_counted() -> None:
    assert render.thread(replace(THREAD, unread_count=3))["membership"]["unread_count"] == 3
    assert render.thread(THREAD)["membership"]["unread_count"] == 0


PLAN = Version(
    1, "Plan", "{}", "0" * 64, 2, ANA.author, 1_000, "created", None, Provenance(), None, "{}",
)  # fmt: skip
EVENTS: dict[str, object] = {
    **dict.fromkeys(
        ("artifact.created", "artifact.updated", "artifact.deleted"),
        Artifact(6, ID, ID, ANA.author, "REPORT", PLAN, 1, 0, 1_000, 1_000),
    ),
    "artifact.data_updated": DataChanged(ID, "sales", "appended", 2, 10),
    **dict.fromkeys(
        ("proposal.created", "proposal.updated"),
        Proposal(4, ID, ID, ID, ANA.author, 1, "Shorter", Provenance(), "open", 2, 1_000, 1_000),
    ),
    **dict.fromkeys(
        ("comment.created", "comment.updated", "comment.deleted"),
        Comment(4, ID, ID, ID, None, ANA.author, "Really?", 1, Anchor("/a", 0, 1, "x"), 1, 1_000, 1_000),
    ),
    **dict.fromkeys(
        ("artifact.stream_started", "artifact.stream_ended"),
        ArtifactStream(4, ID, ID, ID, ANA.author, "/a", 1, Provenance(), "STREAMING", 1_000),
    ),
    **dict.fromkeys(
        ("artifact.action_created", "artifact.action_updated"),
        ArtifactAction(
            ID,
            ID,
            Action(
                4,
                ID,
                ID,
                Subject("artifact", ID),
                1,
                "{}",
                None,
                ANA.author,
                BO.author,
                "b",
                "yes",
                "button",
                "1",
                "{}",
                "done",
                "Well.",
                "{}",
                "",
                2,
                1_000,
                2_000,
                1_500,
            ),
        ),
    ),
    **dict.fromkeys(("thread.created", "thread.updated"), THREAD),
    "thread.deleted": ThreadGone(ID),
    **dict.fromkeys(("member.added", "member.updated"), MEMBER),
    "member.removed": MemberGone(BO.author),
    **dict.fromkeys(("message.created", "message.updated", "message.deleted", "message.completed"), MESSAGE),
    "message.acknowledged": Acknowledged(1, ID, BO.author, 5, 3, 1),
    **dict.fromkeys(("reaction.added", "reaction.removed"), ReactionChange(ID, "👍", BO.author, 3)),
    "read.updated": ReadChange(BO.author, 5, 3),
    "control.changed": ControlChange("human", "shared", "a person takes over"),
    "memory.updated": Memory(ID, '{"facts":  []}', 4),
    **dict.fromkeys(
        ("file.created", "file.updated", "file.attached", "file.preview_ready", "file.deleted"),
        File(5, ID, ANA.author, ID, "a.txt", None, "pending", None, "{}", None, 1, 0, 0),
    ),
}


def event(kind: str) -> Event:
    return Event(9, ID, 80, 8, kind, 1_000, ANA.author, EVENTS[kind])  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", KINDS)
def test_an_event_holds_nothing_personal(kind: str) -> None:
    told = orjson.loads(events.event_json(event(kind)))
    view(EventView, told)
    assert told["actor"] == {"id": ANA.id, "name": "Ana", "kind": "HUMAN"}
    for personal in ("reacted_by_me", "membership", "unread_count", "email", "last_read_number", '"key"'):
        assert personal not in encoded(told), personal


def test_publications_are_events_with_their_place() -> None:
    (publication,) = events.publications([event("message.created")])
    assert (publication.offset, publication.position, publication.type) == (8, 80, "message.created")
    assert publication.data == events.event_json(event("message.created"))


def test_every_event_type_is_rendered() -> None:
    assert EVENTS.keys() == set(KINDS)
    assert {
        kind: set(events.event_data(event(kind)))
        for kind in ("thread.deleted", "member.removed", "read.updated", "memory.updated")
    } == {
        "thread.deleted": {"id"},
        "member.removed": {"thread_id", "user"},
        "read.updated": {"user", "last_read_offset"},
        "memory.updated": {"memory", "version"},
    }


def test_only_its_own_events_tell_the_memory() -> None:
    """It may have 64 KiB: no other event carries it along."""
    assert [kind for kind in EVENTS if "memory" in encoded(events.event_data(event(kind)))] == ["memory.updated"]
    assert '"memory":{"facts":  []}' in encoded(events.event_data(event("memory.updated")))
