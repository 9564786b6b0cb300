"""When forms close is kept as long as the form can be answered: beside its message or artifact."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from actors.auth.identity import Identity
from actors.resources.artifacts import contents
from actors.resources.artifacts.commands import CreateArtifact, RestoreArtifact, ReviseArtifact
from actors.resources.messages import DeleteMessage, EditMessage
from actors.resources.threads import Thread
from tests.builders import Ledger
from tests.storage.resources.artifacts.desk import Desk

LATER = 1_900_000_000_000


@pytest.fixture
def thread(ledger: Ledger, ana: Identity, bo: Identity) -> Thread:
    return ledger.thread(ana, bo)


def form(block_id: str, at: int) -> str:
    """Blocks with one form."""
    expires_at = datetime.fromtimestamp(at / 1000, UTC).isoformat()
    field = {"type": "plain_text_input", "action_id": "name"}
    inputs = [{"type": "input", "block_id": "name", "label": {"type": "plain_text", "text": "Name"}, "element": field}]
    return orjson.dumps([
        {"type": "form", "block_id": block_id, "action_id": "send", "expires_at": expires_at, "blocks": inputs}
    ]).decode()  # fmt: skip


def kept(ledger: Ledger) -> list[tuple[int | None, int | None, str, int]]:
    """(message, artifact, block, when it closes)."""
    return ledger.sql("SELECT message_id, artifact_id, block_id, expires_at FROM form_deadline ORDER BY id")


def test_of_a_message(ledger: Ledger, ana: Identity, thread: Thread) -> None:
    other = ledger.post(ana, thread, blocks=form("other", LATER))
    message = ledger.post(ana, thread, blocks=form("a", LATER + 1))
    ledger.post(ana, thread, blocks=form("over", 1_000))
    always = (other.key, None, "other", LATER)
    assert kept(ledger) == [always, (message.key, None, "a", LATER + 1)]
    about: Any = {"identity": ana, "thread_id": thread.id, "message_id": message.id}
    ledger.do(EditMessage(**about, content="its blocks stay"))
    assert kept(ledger) == [always, (message.key, None, "a", LATER + 1)]
    ledger.do(EditMessage(**about, blocks=form("b", LATER + 2)))
    assert kept(ledger) == [always, (message.key, None, "b", LATER + 2)]
    ledger.do(DeleteMessage(**about))
    assert kept(ledger) == [always]
    ledger.do(EditMessage(identity=ana, thread_id=thread.id, message_id=other.id, blocks=None, content="none"))
    assert kept(ledger) == []


def test_of_an_artifact(ledger: Ledger, desk: Desk, ana: Identity, thread: Thread) -> None:
    def packed(text: str, **deadlines: int) -> contents.Packed:
        return replace(contents.packed("REPORT", text), deadlines=deadlines)

    made = []
    for name in ("other", "a"):
        create = CreateArtifact(
            identity=ana, thread_id=thread.id, artifact_id=name, type="REPORT", title="T",
            content=packed(name, **{name: LATER}),
        )  # fmt: skip
        made.append(ledger.do(create).result)
    other, artifact = made
    always = (None, other.key, "other", LATER)
    assert kept(ledger) == [always, (None, artifact.key, "a", LATER)]
    about: Any = {"identity": ana, "thread_id": thread.id, "artifact_id": artifact.id}
    ledger.do(ReviseArtifact(**about, change="patched", content=packed("b", b=LATER + 1)))
    ledger.do(ReviseArtifact(**about, change="patched", title="Its content stays"))
    assert kept(ledger) == [always, (None, artifact.key, "b", LATER + 1)]
    words = contents.words("a")
    ledger.do(RestoreArtifact(**about, number=1, words=words, deadlines={"a": LATER}))
    assert kept(ledger) == [always, (None, artifact.key, "a", LATER)]
    desk.delete(ana, artifact)
    assert kept(ledger) == [always]
