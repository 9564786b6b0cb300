"""A retry with the same idempotency key: answered with what its command made, and nothing is done again."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from actors.auth.identity import Identity, Origin
from actors.errors import NotFound
from actors.identifiers import new_id
from actors.resources.acknowledgements import Acknowledge
from actors.resources.actions import Act, CheckAction, Subject
from actors.resources.api_keys import CreateApiKey
from actors.resources.artifact_streams import AppendToArtifact, OpenArtifactStream
from actors.resources.artifacts import contents
from actors.resources.artifacts.commands import CreateArtifact
from actors.resources.comments.comment import AddComment
from actors.resources.files.commands import CreateFile, DeleteFile
from actors.resources.files.uploads import BeginUpload
from actors.resources.holds import AddHold, RemoveHold
from actors.resources.mail import AskForVerification
from actors.resources.members import AddMember, MarkRead, RemoveMember
from actors.resources.messages import AskToAcknowledge, DeleteMessage, PostMessage
from actors.resources.proposals.hunks import hunks
from actors.resources.proposals.proposal import Propose, encoded
from actors.resources.push import Subscribe, Unsubscribe
from actors.resources.reactions import React
from actors.resources.schedules import CreateSchedule, Moment
from actors.resources.sessions import EndSession, EndSessions, RevokeToken, StartSession
from actors.resources.threads import CreateThread, Thread
from actors.resources.users import CreateUser
from actors.resources.webhooks import CreateWebhook, DeleteWebhook, QueueTest
from storage.clock import now_ms
from storage.readers.answers import answer
from tests.builders import FAR_FUTURE, Ledger, once
from tests.storage.resources.artifacts.desk import Desk

BUTTON = {"type": "button", "action_id": "yes", "text": {"type": "plain_text", "text": "Yes"}}
BLOCKS = orjson.dumps([{"type": "actions", "block_id": "b", "elements": [BUTTON]}]).decode()


class Room:
    """A user, by default an administrator; a thread of theirs and a bot's; what commands need there."""

    def __init__(self, ledger: Ledger, me: Identity | None = None) -> None:
        self.ledger, self.desk = ledger, Desk(ledger)
        self.me, self.bot = me or ledger.admin(), ledger.user(kind="ASSISTANT")
        self.thread: Thread = ledger.thread(self.me, (self.bot, "OWNER"))
        self.about: dict[str, Any] = {"identity": self.me, "thread_id": self.thread.id}

    def artifact(self) -> dict[str, Any]:
        return self.about | {"artifact_id": self.desk.create(self.me, self.thread, "Some text.").id}


Make = Callable[[Room], Any]
MAKES: dict[str, Make] = {}


def case(make: Make) -> Make:
    MAKES[make.__name__] = make
    return make


@case
def thread(room: Room) -> Any:
    return CreateThread(identity=room.me, title="T")


@case
def message(room: Room) -> Any:
    return PostMessage(**room.about, message_id=new_id(), content="hello")


@case
def new_member(room: Room) -> Any:
    return AddMember(**room.about, user_id=room.ledger.user().user.id)


@case
def own_marker(room: Room) -> Any:
    room.ledger.post(room.bot, room.thread)
    return MarkRead(**room.about)


@case
def reaction(room: Room) -> Any:
    return React(**room.about, message_id=room.ledger.post(room.bot, room.thread).id, emoji="👍")


@case
def acknowledgement(room: Room) -> Any:
    asked = room.ledger.post(room.bot, room.thread, acknowledgement=AskToAcknowledge((room.me.user.id,)))
    return Acknowledge(**room.about, message_id=asked.id)


@case
def action(room: Room) -> Any:
    subject = Subject("message", room.ledger.post(room.bot, room.thread, blocks=BLOCKS).id)
    offered: Any = {"block_id": "b", "action_id": "yes"}
    asked = CheckAction(room.me, subject, **offered, value=None, state={}, confirmed=False)
    return Act(**room.about, subject=subject, **offered, checked=room.ledger.ask(answer, asked))


@case
def file(room: Room) -> Any:
    return CreateFile(**room.about, file_id=new_id(), name="notes.txt")


@case
def deleted_file(room: Room) -> Any:
    made = room.ledger.do(file(room)).result
    return DeleteFile(identity=room.me, file_id=made.id)


@case
def upload(room: Room) -> Any:
    return BeginUpload(
        **room.about, upload_id=new_id(), new_file_id=new_id(), name="notes.txt", kind="resumable",
        expires_at=FAR_FUTURE * 1000,
    )  # fmt: skip


@case
def artifact(room: Room) -> Any:
    packed = contents.packed("REPORT", "Some text.")
    return CreateArtifact(**room.about, artifact_id=new_id(), type="REPORT", title="A report", content=packed)


@case
def artifact_stream(room: Room) -> Any:
    return OpenArtifactStream(**room.artifact(), stream_id=new_id(), pointer="", base=1)


@case
def piece(room: Room) -> Any:
    artifact = room.desk.create(room.me, room.thread)
    stream = room.desk.stream(room.me, artifact, "before ")
    return AppendToArtifact(**room.about, artifact_id=artifact.id, stream_id=stream.id, text="after")


@case
def comment(room: Room) -> Any:
    return AddComment(**room.artifact(), comment_id=new_id(), content="Really?", base=1)


@case
def proposal(room: Room) -> Any:
    found = hunks("Some text.", "Other text.")
    patch = orjson.dumps([{"op": "replace", "path": "", "value": "Other text."}]).decode()
    proposed: Any = {"base": 1, "patch": patch, "hunks": encoded(found), "count": len(found)}
    return Propose(**room.artifact(), proposal_id=new_id(), **proposed)


@case
def schedule(room: Room) -> Any:
    return CreateSchedule(
        **room.about, kind="message", at=Moment(now_ms() + 60_000, "2030-01-01T00:00:00", "UTC"), content="later"
    )


@case
def webhook(room: Room) -> Any:
    return CreateWebhook(
        identity=room.me, name="bot", url="https://receiver.example/", events=("message.created",), thread_ids=None,
        ordered=False, secret="secret",
    )  # fmt: skip


@case
def delivery(room: Room) -> Any:
    return QueueTest(identity=room.me, webhook_id=room.ledger.do(webhook(room)).result.id)


@case
def api_key(room: Room) -> Any:
    return CreateApiKey(
        identity=room.me, user_id=room.me.user.id, name="k", scopes=("read",), expires_at=None, prefix="xp_1",
        key_hash=new_id().encode(),
    )  # fmt: skip


@case
def session(room: Room) -> Any:
    start = StartSession(
        user_id=room.me.user.id, method="PASSWORD", refresh_hash=new_id().encode(), origin=Origin("", "", "")
    )
    return EndSession(identity=room.me, session_id=room.ledger.do(start).result.session.id)


@case
def ended_sessions(room: Room) -> Any:
    session(room)
    return EndSessions(identity=room.me, user_id=room.me.user.id)


@case
def revoked_token(room: Room) -> Any:
    return RevokeToken(identity=room.me, token_id="a token", expires_at=FAR_FUTURE)


@case
def user(room: Room) -> Any:
    return CreateUser(identity=room.me, email=f"{new_id()}@example.com", name="New")


@case
def hold(room: Room) -> Any:
    return AddHold(identity=room.me, kind="user", target_id=room.bot.user.id, reason="a case")


@case
def mailbox(room: Room) -> Any:
    return AskForVerification(identity=room.me)


@case
def push_subscription(room: Room) -> Any:
    return Subscribe(
        identity=room.me, endpoint=f"https://push.example/{new_id()}", p256dh=b"public", auth=b"secret", name="phone"
    )


def with_key(command: Any) -> Any:
    command.once = once()
    return command


@pytest.mark.parametrize("make", MAKES.values(), ids=MAKES)
def test_it_is_answered_the_same_and_nothing_is_done_again(ledger: Ledger, make: Make) -> None:
    of_others = [ledger.do(make(Room(ledger))).result for _ in range(2)]
    command = with_key(make(Room(ledger)))
    first = ledger.do(command).result
    of_others.append(ledger.do(make(Room(ledger))).result)
    before = ledger.dump()
    again = ledger.do(command)
    assert (again.replayed, again.result) == (True, first)
    assert first is None or isinstance(first, int) or first not in of_others
    assert ledger.dump() == before


@pytest.mark.parametrize("make", [file, artifact, artifact_stream, piece, comment, proposal, action])
def test_who_has_left_the_thread_is_shown_nothing_of_it(ledger: Ledger, make: Make) -> None:
    room = Room(ledger, ledger.user())
    command = with_key(make(room))
    ledger.do(command)
    ledger.do(RemoveMember(identity=room.bot, thread_id=room.thread.id, user_id=room.me.user.id))
    with pytest.raises(NotFound):
        ledger.do(command)


def test_only_an_administrator_is_shown_a_thread_that_they_have_left(ledger: Ledger) -> None:
    owner = ledger.user()
    for who in (ledger.user(), ledger.admin()):
        create = with_key(CreateThread(identity=who, title="T", members=((owner.user.id, "OWNER"),)))
        made = ledger.do(create).result
        ledger.do(RemoveMember(identity=who, thread_id=made.id, user_id=who.user.id))
        if who.is_admin:
            assert ledger.do(create).result.title == "T"
        else:
            with pytest.raises(NotFound):
                ledger.do(create)


@pytest.mark.parametrize(("make", "delete"), [
    (webhook, lambda room, made: DeleteWebhook(identity=room.me, webhook_id=made.id)),
    (hold, lambda room, made: RemoveHold(identity=room.me, hold_id=made.id)),
    (push_subscription, lambda room, made: Unsubscribe(identity=room.me, subscription_id=made.id)),
    (acknowledgement, lambda room, made: DeleteMessage(**room.about, message_id=made.message_id)),
])  # fmt: skip
def test_what_was_deleted_since_is_gone(ledger: Ledger, make: Make, delete: Callable[[Room, Any], Any]) -> None:
    room = Room(ledger)
    command = with_key(make(room))
    ledger.do(delete(room, ledger.do(command).result))
    with pytest.raises(NotFound):
        ledger.do(command)
