"""Artifacts among what a search finds: by title and text of the newest version, in their thread."""

import contextlib
import itertools
from typing import Any

import pytest

from actors import commands, limits
from actors.auth.identity import Identity
from actors.resources.members import AddMember, RemoveMember
from actors.resources.threads import DeleteThread, Thread
from actors.resources.users import DeleteUser, EraseContent
from storage.database import open_writer
from storage.maintenance import integrity
from storage.schema import migrating as schema
from tests.builders import MIGRATIONS, Ledger
from tests.storage.resources.artifacts.desk import Desk
from tests.storage.search.asking import marked, search

REPORT = {
    "abstract": "Der Jahresbericht für 東京都",
    "sections": [
        {"type": "markdown", "id": "intro", "text": "Umsätze stiegen."},
        {"type": "table", "columns": ["month", "sum"], "rows": [["Mai", 10]]},
        {"type": "chart", "spec": {"mark": "bar", "data": {"values": [{"hidden": 1}]}}},
    ],
}


@pytest.fixture
def thread(ledger: Ledger, ana: Identity) -> Thread:
    return ledger.thread(ana, title="plans")


@pytest.fixture(params=["aside", "indexed", "half"], autouse=True)
def settle(request: pytest.FixtureRequest, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Every search here is answered the same, whatever of it the index knows already; and its rows stay in order."""
    turns = itertools.count()

    def do_then(*args: Any, **kwargs: Any) -> Any:
        done = Ledger.do(ledger, *args, **kwargs)
        if request.param == "indexed" or (request.param == "half" and next(turns) % 2):
            ledger.index()
        return done

    monkeypatch.setattr(ledger, "do", do_then)
    yield
    assert [found for _, found in integrity.check(ledger.reader) if found] == []


def titles(ledger: Ledger, who: Identity, text: str | None = None, **more: Any) -> list[str]:
    return [marked(hit).partition("\n")[0] for hit in search(ledger, who, text, kind="artifact", **more).hits]


def test_an_artifact_is_found_by_its_title_and_by_its_text(
    ledger: Ledger, desk: Desk, ana: Identity, thread: Thread
) -> None:
    artifact = desk.create(ana, thread, REPORT, title="Größe")
    ledger.post(ana, thread, "The jahresbericht is here")
    (by_title,) = search(ledger, ana, "grosse").hits
    assert (by_title.kind, by_title.id, by_title.message) == ("artifact", artifact.id, None)
    assert by_title.thread_id == thread.id
    assert marked(by_title).startswith("[Größe]\nDer Jahresbericht für 東京都\n")
    assert sorted(hit.kind for hit in search(ledger, ana, "jahresbericht").hits) == ["artifact", "message"]
    assert "für [東京]都" in marked(search(ledger, ana, "東京").hits[0])
    assert titles(ledger, ana, "mai") == titles(ledger, ana, "umsatze") == ["Größe"]
    assert titles(ledger, ana, "jahresbericht -größe") == titles(ledger, ana, "hidden") == []


def test_only_members_find_it_and_only_as_long_as_they_are(
    ledger: Ledger, desk: Desk, ana: Identity, bo: Identity, thread: Thread
) -> None:
    desk.create(ana, thread, title="needle")
    assert titles(ledger, bo, "needle") == []
    ledger.do(AddMember(identity=ana, thread_id=thread.id, user_id=bo.user.id, role="VIEWER"))
    assert titles(ledger, bo, "needle") == ["[needle]"]
    ledger.do(RemoveMember(identity=ana, thread_id=thread.id, user_id=bo.user.id))
    assert titles(ledger, bo, "needle") == []
    assert titles(ledger, ledger.user("root", role="ADMIN"), "needle", everything=True) == ["[needle]"]


def test_changes_are_found_at_once_and_what_was_before_is_not(
    ledger: Ledger, desk: Desk, ana: Identity, thread: Thread
) -> None:
    artifact = desk.create(ana, thread, "old words", title="first")
    desk.revise(ana, artifact, title="second")
    assert (titles(ledger, ana, "first"), titles(ledger, ana, "second")) == ([], ["[second]"])
    assert titles(ledger, ana, "old") == ["second"]
    artifact = desk.revise(ana, artifact, "new words")
    assert (titles(ledger, ana, "old"), titles(ledger, ana, "new")) == ([], ["second"])
    artifact = desk.revise(ana, artifact, metadata='{"a": 1}')
    assert titles(ledger, ana, "new") == ["second"]
    desk.restore(ana, artifact, 1)
    assert (titles(ledger, ana, "new"), titles(ledger, ana, "second")) == ([], [])
    assert titles(ledger, ana, "first old") == ["[first]"]
    desk.delete(ana, artifact)
    assert titles(ledger, ana, "first") == titles(ledger, ana, "old") == []


def test_artifacts_of_a_deleted_thread_are_gone(ledger: Ledger, desk: Desk, ana: Identity, thread: Thread) -> None:
    desk.create(ana, thread, title="needle")
    ledger.do(DeleteThread(identity=ana, thread_id=thread.id))
    assert titles(ledger, ana, "needle") == []
    ledger.sql("UPDATE thread SET deleted_at = 1 WHERE deleted_at IS NOT NULL")
    while ledger.do(commands.Purge(rows=3)).result == 3:
        pass
    assert ledger.one("SELECT count(*) FROM artifact") == 0


def test_what_a_user_has_created_is_gone_with_the_user(ledger: Ledger, desk: Desk, ana: Identity, bo: Identity) -> None:
    thread = ledger.thread(ana, bo)
    desk.create(bo, thread, title="needle")
    ledger.do(DeleteUser(identity=ledger.admin("root"), user_id=bo.user.id, content="remove"))
    step = EraseContent()
    while ledger.do(step).result == step.rows:
        pass
    assert titles(ledger, ana, "needle") == []


def test_conditions_hold_for_artifacts(ledger: Ledger, desk: Desk, ana: Identity, bo: Identity) -> None:
    thread = ledger.thread(ana, bo)
    desk.create(ana, thread, title="of ana")
    desk.create(bo, thread, title="of bo")
    ledger.post(ana, thread, "of none")
    assert titles(ledger, ana, "of", author_id=bo.user.id) == ["[of] bo"]
    assert [hit.kind for hit in search(ledger, ana, "of", type="USER").hits] == ["message"]
    assert titles(ledger, ana, "of", after=0, sort="newest") == ["[of] bo", "[of] ana"]
    assert titles(ledger, ana, "of", before=1) == []


def test_what_comes_after_the_excerpt_is_for_lists(ledger: Ledger, desk: Desk, ana: Identity, thread: Thread) -> None:
    desk.create(ana, thread, f"{'word ' * (limits.SEARCH_FILE_CHARS // 5)} behind", title="long")
    assert (titles(ledger, ana, "word"), titles(ledger, ana, "behind")) == (["long"], [])
    assert desk.titles(ana, text="behind") == ["long"]


def test_those_of_a_database_from_before_are_found(ledger: Ledger, desk: Desk, ana: Identity, thread: Thread) -> None:
    """The migration fills what the index holds of an artifact, and knows at which entry of the log each was created."""
    desk.create(ana, thread, "gone words", title="gone")
    desk.delete(ana, desk.create(ana, thread, title="deleted"))
    artifact = desk.revise(ana, desk.create(ana, thread, "old words", title="first"), REPORT, title="Größe")
    positions = ledger.sql('SELECT "id", "position" FROM "artifact" ORDER BY "id"')
    ledger.close()
    with contextlib.closing(open_writer(ledger.options)) as database:
        (name,) = (each for each in MIGRATIONS if each.endswith("_artifacts_found"))
        assert schema.runner(database).down(target=name)[-1] == name
        assert "position" not in {column.name for column in database.get_columns("artifact")}
    ledger.reopen()
    assert ledger.sql('SELECT "id", "position" FROM "artifact" ORDER BY "id"') == positions
    assert [hit.id for hit in search(ledger, ana, "grosse jahresbericht").hits] == [artifact.id]
    assert (titles(ledger, ana, "first"), titles(ledger, ana, "deleted"), titles(ledger, ana, "gone")) == (
        [], [], ["[gone]"],
    )  # fmt: skip
    assert "für [東京]都" in marked(search(ledger, ana, "東京").hits[0])
