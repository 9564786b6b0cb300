"""Artifacts in the store: who sees and changes them, versions, what is counted, and what is left of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from actors import commands, limits
from actors.auth.identity import Identity
from actors.errors import (
    Conflict,
    Forbidden,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
    QuotaExceeded,
    ValidationFailed,
)
from actors.identifiers import new_id
from actors.resources.artifacts import contents
from actors.resources.artifacts.artifact import Provenance
from actors.resources.artifacts.commands import CreateArtifact
from actors.resources.artifacts.queries import (
    ArtifactFilter,
    GetArtifact,
    GetArtifactVersion,
    ListArtifacts,
    ListArtifactsBy,
)
from actors.resources.files.file import Quotas
from actors.resources.members import RemoveMember
from actors.resources.threads import DeleteThread, Thread, UpdateThread
from actors.resources.users import DeleteUser, EraseContent
from storage.journal.store import JournalStore
from storage.readers.answers import answer
from storage.resources.log import reading as log
from tests.builders import Ledger, once
from tests.storage.resources.artifacts.desk import Desk
from tests.storage.test_integrity import findings


@pytest.fixture
def desk(ledger: Ledger) -> Iterator[Desk]:
    """Whatever a test did, the database is as it must be."""
    yield Desk(ledger)
    assert findings(ledger.path) == {}


@pytest.fixture
def thread(ledger: Ledger, ana: Identity, bo: Identity) -> Thread:
    return ledger.thread(ana, bo)


def test_rights_follow_the_thread(ledger: Ledger, desk: Desk, ana: Identity, bo: Identity, thread: Thread) -> None:
    artifact, stranger, viewer = desk.create(ana, thread), ledger.user("eve"), ledger.user("vi")
    other = ledger.thread(ana, (viewer, "VIEWER"))
    seen = desk.create(ana, other)
    assert desk.content(bo, artifact) == "Some text."
    assert desk.titles(stranger) == []
    with pytest.raises(NotFound):
        desk.content(stranger, artifact)
    assert desk.content(viewer, seen) == "Some text."
    for refused in (lambda: desk.revise(viewer, seen, "x"), lambda: desk.create(viewer, other)):
        with pytest.raises(Forbidden):
            refused()
    ledger.do(RemoveMember(identity=ana, thread_id=thread.id, user_id=bo.user.id))
    with pytest.raises(NotFound):
        desk.content(bo, artifact)
    with pytest.raises(NotFound):
        desk.revise(bo, artifact, "x")
    assert desk.titles(bo) == []


def test_who_may_write_may_revise_and_only_some_may_delete(
    ledger: Ledger, desk: Desk, ana: Identity, bo: Identity, thread: Thread
) -> None:
    artifact = desk.create(ana, thread)
    assert desk.revise(bo, artifact, "other").version == 2
    with pytest.raises(Forbidden):
        desk.delete(bo, artifact)
    desk.delete(ana, desk.create(bo, thread))
    desk.delete(ledger.admin("root"), artifact)
    assert ledger.one("SELECT count(*) FROM audit WHERE action = 'delete_artifact'") == 2
    ledger.do(UpdateThread(identity=ana, thread_id=thread.id, status="CLOSED"))
    with pytest.raises(Conflict):
        desk.create(ana, thread)


def test_a_version_never_changes(desk: Desk, ana: Identity, bo: Identity, thread: Thread) -> None:
    artifact = desk.create(ana, thread, "one", label="first", provenance=Provenance(model="m-1", tool_call="t1"))
    desk.revise(bo, artifact, "two", title="Renamed", metadata='{"a":1}')
    _, first = desk.ledger.ask(answer, GetArtifactVersion(ana, artifact.id, 1))
    newest = desk.ledger.ask(answer, GetArtifact(ana, artifact.id)).newest
    assert newest is not None
    assert (first.title, first.metadata, first.label, first.author.id) == ("A report", "{}", "first", ana.user.id)
    assert (first.provenance.model, first.provenance.tool_call, first.change) == ("m-1", "t1", "created")
    assert (newest.title, newest.metadata, newest.author.id, newest.change) == (
        "Renamed", '{"a":1}', bo.user.id, "patched",
    )  # fmt: skip
    assert [desk.content(ana, artifact, number) for number in (1, 2)] == ["one", "two"]
    with pytest.raises(NotFound):
        desk.content(ana, artifact, 3)


def test_a_content_is_stored_once(desk: Desk, ana: Identity, thread: Thread) -> None:
    first, second = desk.create(ana, thread, "same"), desk.create(ana, thread, "same")
    desk.revise(ana, first, title="Other")
    assert desk.bodies() == [3]
    desk.revise(ana, first, "new")
    desk.revise(ana, first, "same")
    assert desk.bodies() == [1, 4]
    desk.delete(ana, first)
    assert desk.bodies() == [1]
    desk.delete(ana, second)
    assert desk.bodies() == []
    assert desk.used("thread") == desk.used("user") == desk.used("server") == 0


def test_what_does_not_differ_is_no_version(desk: Desk, ana: Identity, thread: Thread) -> None:
    artifact = desk.create(ana, thread, "same")
    before = desk.ledger.one("SELECT position FROM log_head")
    assert desk.revise(ana, artifact, "same", title="A report").version == 1
    assert desk.restore(ana, artifact, 1).version == 1
    assert desk.ledger.one("SELECT position FROM log_head") == before
    assert desk.revise(ana, artifact, label="as sent").version == 2, "a label is a reason"


def test_an_earlier_version_is_restored_as_a_new_one(desk: Desk, ana: Identity, bo: Identity, thread: Thread) -> None:
    artifact = desk.create(ana, thread, "the first words", title="One")
    desk.revise(ana, artifact, "others", title="Two")
    restored = desk.restore(bo, artifact, 1, label="back")
    assert restored.newest is not None
    assert (restored.version, restored.newest.restored_from, restored.newest.change) == (3, 1, "restored")
    assert (restored.newest.title, restored.newest.author.id) == ("One", bo.user.id)
    assert desk.content(ana, artifact) == "the first words"
    assert desk.titles(ana, text="first words") == ["One"]
    with pytest.raises(NotFound):
        desk.restore(ana, artifact, 9)
    assert desk.restore(ana, artifact, 2).version == 4
    assert desk.restore(ana, artifact, 2, label="as sent").version == 5, "a label is a reason"


def test_conditions(desk: Desk, ana: Identity, bo: Identity, thread: Thread) -> None:
    artifact = desk.create(ana, thread)
    with pytest.raises(PreconditionFailed):
        desk.revise(ana, artifact, "x", if_version=2)
    with pytest.raises(PreconditionRequired):
        desk.revise(bo, artifact, "a whole content", change="replaced")
    assert desk.revise(bo, artifact, "a whole content", change="replaced", if_version=1).version == 2
    assert desk.revise(bo, artifact, "one's own", change="replaced").version == 3
    assert desk.revise(ana, artifact, title="Only the title", change="replaced").version == 4
    with pytest.raises(PreconditionFailed):
        desk.delete(ana, artifact, if_version=1)


def test_old_versions_are_dropped_but_for_those_with_a_label(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "experience.db")
    ledger.store.close()
    ledger.store = JournalStore(ledger.options, artifact_versions=3)
    ledger.store.open()
    desk, ana = Desk(ledger), ledger.user("ana")
    thread = ledger.thread(ana)
    artifact = desk.create(ana, thread, "1")
    desk.revise(ana, artifact, "2", label="kept")
    for number in range(3, 8):
        revised = desk.revise(ana, artifact, str(number))
    assert desk.numbers(ana, artifact) == [7, 6, 5, 2]
    assert revised.dropped == 3
    assert len(desk.bodies()) == 4
    assert desk.used("thread") == 4 * len('"7"')
    assert findings(ledger.path) == {}
    ledger.close()


def test_labels_are_limited(desk: Desk, ana: Identity, thread: Thread, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ARTIFACT_LABELS", 2)
    artifact = desk.create(ana, thread, label="one")
    desk.revise(ana, artifact, label="two")
    with pytest.raises(Conflict) as refused:
        desk.revise(ana, artifact, "three", label="three")
    assert refused.value.code == "labels_full"
    assert desk.numbers(ana, artifact) == [2, 1]


def test_a_thread_has_room_for_so_many(
    desk: Desk, ana: Identity, thread: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ARTIFACTS_PER_THREAD", 2)
    first = desk.create(ana, thread)
    desk.create(ana, thread)
    with pytest.raises(Conflict) as refused:
        desk.create(ana, thread)
    assert refused.value.code == "artifacts_full"
    desk.delete(ana, first)
    desk.create(ana, thread)


def test_quotas(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "experience.db")
    ledger.store.close()
    ledger.store = JournalStore(ledger.options, quotas=Quotas(thread=100))
    ledger.store.open()
    desk, ana = Desk(ledger), ledger.user("ana")
    thread = ledger.thread(ana)
    artifact = desk.create(ana, thread, "x" * 60)
    with pytest.raises(QuotaExceeded, match="thread may have 100 bytes"):
        desk.revise(ana, artifact, "y" * 60)
    assert desk.bodies() == [1]
    ledger.close()


def test_a_retry_gets_the_same_artifact(desk: Desk, ana: Identity, thread: Thread) -> None:
    command = CreateArtifact(
        identity=ana, thread_id=thread.id, artifact_id=new_id(), type="PDF", title="T",
        content=contents.packed("PDF", "x"), once=once(),
    )  # fmt: skip
    first, again = desk.ledger.do(command), desk.ledger.do(command)
    assert (again.replayed, again.result) == (True, first.result)
    assert desk.titles(ana) == ["T"]


def test_a_message_that_it_comes_from_is_one_of_the_thread(
    ledger: Ledger, desk: Desk, ana: Identity, thread: Thread
) -> None:
    here, elsewhere = ledger.post(ana, thread), ledger.post(ana, ledger.thread(ana))
    artifact = desk.create(ana, thread, provenance=Provenance(message_id=here.id))
    assert artifact.newest is not None
    assert artifact.newest.provenance.message_id == here.id
    revised = desk.revise(ana, artifact, "y", provenance=Provenance(message_id=here.id))
    assert revised.newest is not None
    assert revised.newest.provenance.message_id == here.id
    wrong = Provenance(message_id=elsewhere.id)
    for refused in (
        lambda: desk.revise(ana, artifact, "x", provenance=wrong),
        lambda: desk.create(ana, thread, provenance=wrong),
    ):
        with pytest.raises(ValidationFailed):
            refused()


def test_an_artifact_is_found_by_the_title_that_it_has(desk: Desk, ana: Identity, thread: Thread) -> None:
    artifact = desk.create(ana, thread, title="Former")
    desk.revise(ana, artifact, title="Present")
    assert desk.titles(ana, text="former") == []
    desk.revise(ana, artifact, "other words")
    assert desk.titles(ana, text="present") == desk.titles(ana, text="words") == ["Present"]


def test_lists_are_filtered(ledger: Ledger, desk: Desk, ana: Identity, bo: Identity, thread: Thread) -> None:
    other = ledger.thread(bo)
    desk.create(ana, thread, "Über die Märkte", title="Markets", type="INSIGHT")
    middle = desk.create(bo, thread, "growth and more growth", title="Growth")
    desk.create(bo, other, "secret", title="Secret")
    assert desk.titles(ana) == ["Growth", "Markets"]
    assert desk.titles(bo) == ["Secret", "Growth", "Markets"]
    assert desk.titles(bo, thread_id=other.id) == ["Secret"]
    assert desk.titles(bo, creator_id=ana.user.id) == desk.titles(bo, type="INSIGHT") == ["Markets"]
    assert desk.titles(ana, text="markte") == desk.titles(ana, text="markets") == ["Markets"]
    assert desk.titles(ana, text="growths") == ["Growth"]
    assert desk.titles(ana, text="secret") == []
    assert desk.titles(ana, text="-growth more") == []
    assert desk.titles(ana, updated_from=2**41) == []
    assert desk.titles(ana, updated_from=middle.updated_at) == ["Growth"] or middle.updated_at == middle.created_at
    with pytest.raises(NotFound):
        desk.titles(ana, thread_id=other.id)


def test_pages_lead_through_all(desk: Desk, ana: Identity, thread: Thread) -> None:
    for number in range(5):
        desk.create(ana, thread, title=str(number))
    found: list[str] = []
    before = None
    while True:
        query = ListArtifacts(ana, ArtifactFilter(), limit=2, before=before, with_content=False)
        page = desk.ledger.ask(answer, query)
        assert all(one.newest and one.newest.content is None for one in page.items)
        found += [one.newest.title for one in page.items if one.newest]
        if page.next_cursor is None:
            break
        before = int(page.next_cursor)
    assert found == ["4", "3", "2", "1", "0"]


def test_what_is_deleted_is_gone(desk: Desk, ana: Identity, thread: Thread) -> None:
    artifact = desk.create(ana, thread, "secret words", title="Secret")
    desk.delete(ana, artifact)
    assert desk.titles(ana) == desk.titles(ana, text="secret") == []
    for missing in (lambda: desk.content(ana, artifact), lambda: desk.numbers(ana, artifact)):
        with pytest.raises(NotFound):
            missing()
    events = desk.ledger.ask(log.after_offset, ana, thread.id, 0, limit=100).events
    told = [(event.type, event.data.newest) for event in events if event.type.startswith("artifact.")]  # type: ignore[attr-defined]
    assert told == [("artifact.created", None), ("artifact.deleted", None)]


def test_a_deleted_thread_takes_its_artifacts(ledger: Ledger, desk: Desk, ana: Identity, thread: Thread) -> None:
    artifact = desk.create(ana, thread, "one")
    desk.revise(ana, artifact, "two")
    desk.create(ana, thread, "three")
    ledger.do(DeleteThread(identity=ana, thread_id=thread.id))
    with pytest.raises(NotFound):
        desk.content(ana, artifact)
    ledger.sql("UPDATE thread SET deleted_at = 1 WHERE deleted_at IS NOT NULL")
    while ledger.do(commands.Purge(rows=3)).result == 3:
        pass
    for table in ("artifact", "artifact_version", "artifact_body", "artifact_text"):
        assert ledger.one(f"SELECT count(*) FROM {table}") == 0
    assert desk.used("user") == 0


def test_a_step_of_a_purge_counts_artifacts_and_versions(
    ledger: Ledger, desk: Desk, ana: Identity, thread: Thread
) -> None:
    for text in ("one", "two", "three"):
        desk.create(ana, thread, text)
    ledger.do(DeleteThread(identity=ana, thread_id=thread.id))
    ledger.sql("UPDATE thread SET deleted_at = 1 WHERE deleted_at IS NOT NULL")
    assert ledger.do(commands.Purge(rows=3)).result == 3
    assert ledger.one("SELECT count(*) FROM artifact") == 1, "an artifact and its version, and another one whole"


def test_erasure_takes_what_a_user_has_created(
    ledger: Ledger, desk: Desk, ana: Identity, bo: Identity, thread: Thread
) -> None:
    theirs = [desk.create(bo, thread, f"of bo {number}") for number in range(12)]
    kept = desk.create(ana, thread, "of ana")
    desk.revise(bo, kept, "of ana, revised by bo")
    ledger.do(DeleteUser(identity=ledger.admin("root"), user_id=bo.user.id, content="remove"))
    step = EraseContent()
    while ledger.do(step).result == step.rows:
        pass
    assert desk.titles(ana) == ["A report"]
    assert desk.content(ana, kept) == "of ana, revised by bo", "it stays, by a nameless author"
    for artifact in theirs:
        with pytest.raises(NotFound):
            desk.content(ana, artifact)


def test_the_words_of_what_was_erased_leave_the_index_of_artifacts(
    ledger: Ledger, desk: Desk, bo: Identity, thread: Thread
) -> None:
    """Not only its rows: the words stand in the segments of the index until they are merged."""
    desk.create(bo, thread, "zebedeequux")
    ledger.sql("INSERT INTO artifact_text (artifact_text) VALUES ('optimize')")
    assert _holding(ledger, b"ebedeequux") > 0
    ledger.do(DeleteUser(identity=ledger.admin("root"), user_id=bo.user.id, content="remove"))
    step = EraseContent()
    while ledger.do(step).result == step.rows:
        pass
    assert _holding(ledger, b"ebedeequux") == 0


def _holding(ledger: Ledger, word: bytes) -> int:
    return sum(word in block for (block,) in ledger.sql("SELECT block FROM artifact_text_data"))


def test_what_a_user_has_created_is_exported(ledger: Ledger, desk: Desk, ana: Identity, bo: Identity) -> None:
    thread = ledger.thread(ana, bo)
    desk.create(bo, thread, "mine", title="Mine")
    desk.create(ana, thread, "not mine")
    ledger.do(RemoveMember(identity=ana, thread_id=thread.id, user_id=bo.user.id))
    page = ledger.ask(answer, ListArtifactsBy(bo.user.id, limit=10, after=None))
    assert [one.newest.content for one in page.items if one.newest] == ['"mine"']


def test_data_sets_take_room_and_go_with_their_artifact(desk: Desk, ana: Identity, thread: Thread) -> None:
    artifact = desk.create(ana, thread, "x")
    before = desk.used("thread")
    desk.measure(ana, artifact, [["[1]", '["é"]'], ["[2]"]])
    assert desk.used("thread") == before + len('[1]["é"][2]'.encode())
    assert findings(desk.ledger.path) == {}
    desk.delete(ana, artifact)
    assert desk.used("thread") == 0
    assert desk.ledger.one("SELECT count(*) FROM artifact_data_row") == 0
