"""Who may begin, extend and end a text that grows in an artifact, and when; other streams stay as they are."""

from typing import Any

import pytest

from actors import limits
from actors.auth.identity import Identity
from actors.errors import Conflict, Forbidden, NotFound, PreconditionFailed, TooLarge, ValidationFailed
from actors.identifiers import new_id
from actors.outcomes import Done
from actors.resources.artifact_streams import (
    AppendToArtifact,
    ArtifactStream,
    FinishArtifactStream,
    InterruptArtifactStreams,
    OpenArtifactStream,
)
from actors.resources.artifacts import contents
from actors.resources.artifacts.artifact import Artifact, Provenance
from actors.resources.members import UpdateMember
from actors.resources.threads import Thread
from actors.resources.users import DeleteUser, EraseContent
from tests.builders import Ledger
from tests.storage.clock import NOW, Clock
from tests.storage.resources.artifacts.desk import Desk


@pytest.fixture
def thread(ledger: Ledger, ana: Identity, bo: Identity) -> Thread:
    return ledger.thread(ana, bo)


@pytest.fixture
def artifact(desk: Desk, ana: Identity, thread: Thread) -> Artifact:
    return desk.create(ana, thread)


@pytest.fixture
def other(desk: Desk, ana: Identity, artifact: Artifact, thread: Thread) -> ArtifactStream:
    """In another artifact of the thread, with a text."""
    return desk.stream(ana, desk.create(ana, thread), "other")


def begin(ledger: Ledger, who: Identity, artifact: Artifact, pointer: str = "/a", **more: Any) -> ArtifactStream:
    command = OpenArtifactStream(
        identity=who, thread_id=artifact.thread_id, artifact_id=artifact.id, stream_id=new_id(), pointer=pointer,
        base=1, **more,
    )  # fmt: skip
    made = ledger.do(command).result
    assert isinstance(made, ArtifactStream)
    return made


def append(ledger: Ledger, who: Identity, stream: ArtifactStream, text: str, index: int | None = None) -> Done[Any]:
    return ledger.do(
        AppendToArtifact(
            identity=who, thread_id=stream.thread_id, artifact_id=stream.artifact_id, stream_id=stream.id, text=text,
            index=index,
        )
    )  # fmt: skip


def finish(ledger: Ledger, who: Identity, stream: ArtifactStream, **more: Any) -> Done[Any]:
    given: dict[str, Any] = {"status": "COMPLETE", "newest": 1, "length": 0, "content": None, **more}
    return ledger.do(
        FinishArtifactStream(
            identity=who, thread_id=stream.thread_id, artifact_id=stream.artifact_id, stream_id=stream.id, **given
        )
    )


def row(ledger: Ledger, stream: ArtifactStream) -> tuple[Any, ...]:
    """(status, characters, bytes, text)."""
    pieces = ledger.sql("SELECT text FROM artifact_piece WHERE stream_id = ? ORDER BY start", stream.key)
    (found,) = ledger.sql("SELECT status, length, size FROM artifact_stream WHERE id = ?", stream.key)
    return (*found, "".join(text for (text,) in pieces))


# Begun


def test_one_stream_writes_a_text_at_a_time(ledger: Ledger, ana: Identity, bo: Identity, artifact: Artifact) -> None:
    first = begin(ledger, ana, artifact, "/a")
    with pytest.raises(Conflict) as refused:
        begin(ledger, bo, artifact, "/a")
    assert refused.value.code == "text_streaming"
    begin(ledger, bo, artifact, "/b")
    finish(ledger, ana, first, status="INTERRUPTED")
    begin(ledger, bo, artifact, "/a")


def test_an_artifact_has_a_bounded_number_of_open_streams(
    ledger: Ledger, ana: Identity, artifact: Artifact, other: ArtifactStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ARTIFACT_STREAMS", 2)
    first, _ = begin(ledger, ana, artifact, "/a"), begin(ledger, ana, artifact, "/b")
    with pytest.raises(Conflict) as refused:
        begin(ledger, ana, artifact, "/c")
    assert refused.value.code == "streams_full"
    finish(ledger, ana, first, status="INTERRUPTED")
    begin(ledger, ana, artifact, "/c")


def test_it_belongs_to_a_message_of_the_thread(
    ledger: Ledger, ana: Identity, thread: Thread, artifact: Artifact
) -> None:
    here, elsewhere = ledger.post(ana, thread), ledger.post(ana, ledger.thread(ana))
    assert begin(ledger, ana, artifact, provenance=Provenance(here.id)).provenance.message_id == here.id
    with pytest.raises(ValidationFailed):
        begin(ledger, ana, artifact, "/b", provenance=Provenance(elsewhere.id))


def test_older_interrupted_texts_go_and_others_stay(
    ledger: Ledger, ana: Identity, artifact: Artifact, other: ArtifactStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ARTIFACT_STREAMS_KEPT", 1)
    still_open = begin(ledger, ana, artifact, "/open")
    append(ledger, ana, still_open, "open")
    finish(ledger, ana, other, status="INTERRUPTED", length=5)
    old, kept = (begin(ledger, ana, artifact, pointer) for pointer in ("/a", "/b"))
    for each in (old, kept):
        append(ledger, ana, each, "text")
        finish(ledger, ana, each, status="INTERRUPTED", length=4)
    begin(ledger, ana, artifact, "/c")
    assert row(ledger, old) == ("INTERRUPTED", 0, 0, "")
    assert row(ledger, kept) == ("INTERRUPTED", 4, 4, "text")
    assert row(ledger, still_open) == ("STREAMING", 4, 4, "open")
    assert row(ledger, other) == ("INTERRUPTED", 5, 5, "other")


# Extended


def test_characters_and_bytes_are_counted(
    ledger: Ledger, ana: Identity, artifact: Artifact, other: ArtifactStream
) -> None:
    stream = begin(ledger, ana, artifact)
    grown = [append(ledger, ana, stream, text).result for text in ("añ", "", "👍")]
    assert [(each.index, each.length) for each in grown] == [(0, 2), (2, 2), (2, 3)]
    assert row(ledger, stream) == ("STREAMING", 3, 7, "añ👍")
    assert row(ledger, other) == ("STREAMING", 5, 5, "other")


def test_a_piece_that_is_there_is_not_appended_again(
    ledger: Ledger, ana: Identity, artifact: Artifact, other: ArtifactStream, clock: Clock
) -> None:
    stream = begin(ledger, ana, artifact)
    append(ledger, ana, stream, "one", 0)
    append(ledger, ana, stream, " two", 3)
    clock.now += 1
    grown = append(ledger, ana, stream, "two", 4).result
    assert (grown.index, grown.length) == (4, 7)
    touched = "SELECT touched_at FROM artifact_stream WHERE id = ?"
    assert ledger.one(touched, stream.key) == NOW + 1
    assert ledger.one(touched, other.key) < NOW
    for text, index in (("three", 8), ("tow", 4), ("two three", 4), ("", 8)):
        with pytest.raises(Conflict) as refused:
            append(ledger, ana, stream, text, index)
        assert refused.value.code == "stream_gap"
    assert row(ledger, stream) == ("STREAMING", 7, 7, "one two")


def test_short_pieces_share_a_row_up_to_its_limit(
    ledger: Ledger, ana: Identity, artifact: Artifact, other: ArtifactStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ARTIFACT_PIECE_CHARS", 4)
    stream = begin(ledger, ana, artifact)
    for text in ("ab", "cd", "e", "fgh", "i"):
        append(ledger, ana, stream, text)
    pieces = "SELECT start, text FROM artifact_piece WHERE stream_id = ? ORDER BY start"
    assert ledger.sql(pieces, stream.key) == [(0, "abcd"), (4, "efgh"), (8, "i")]
    assert ledger.sql(pieces, other.key) == [(0, "other")]


def test_a_text_is_bounded_in_bytes(
    ledger: Ledger, ana: Identity, artifact: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ARTIFACT_BYTES", 5)
    stream = begin(ledger, ana, artifact)
    append(ledger, ana, stream, "abc")
    with pytest.raises(TooLarge, match="at most 5 bytes; got 6"):
        append(ledger, ana, stream, "dñ")
    append(ledger, ana, stream, "ñ")


def test_only_its_author_extends_it_and_only_with_the_right_to_write(
    ledger: Ledger, ana: Identity, bo: Identity, artifact: Artifact, other: ArtifactStream
) -> None:
    stream = begin(ledger, bo, artifact)
    with pytest.raises(Conflict, match="no text of yours"):
        append(ledger, ana, stream, "x")
    with pytest.raises(NotFound, match="stream"):
        ledger.do(
            AppendToArtifact(
                identity=ana, thread_id=artifact.thread_id, artifact_id=artifact.id, stream_id=other.id, text="x"
            )
        )
    ledger.do(UpdateMember(identity=ana, thread_id=artifact.thread_id, user_id=bo.user.id, role="VIEWER"))
    for act in (lambda: append(ledger, bo, stream, "x"), lambda: finish(ledger, bo, stream)):
        with pytest.raises(Forbidden):
            act()


# Ended


def test_its_author_completes_it_as_a_version(
    ledger: Ledger, desk: Desk, ana: Identity, artifact: Artifact, other: ArtifactStream, clock: Clock
) -> None:
    stream = begin(ledger, ana, artifact)
    append(ledger, ana, stream, "More.")
    packed = contents.packed("REPORT", "Some text. More.")
    with pytest.raises(PreconditionFailed, match="version 2, the current one is 1"):
        finish(ledger, ana, stream, content=packed, newest=2, length=5)
    with pytest.raises(PreconditionFailed, match="version 4, the current one is 5"):
        finish(ledger, ana, stream, content=packed, length=4)
    done = finish(ledger, ana, stream, content=packed, length=5)
    assert (done.result.status, done.result.version, done.result.ended_at) == ("COMPLETE", 2, NOW)
    assert [event.type for event in done.events] == ["artifact.updated", "artifact.stream_ended"]
    assert desk.content(ana, artifact) == "Some text. More."
    assert row(ledger, stream) == ("COMPLETE", 5, 5, "")
    assert row(ledger, other) == ("STREAMING", 5, 5, "other")
    again = finish(ledger, ana, stream, content=packed, newest=99)
    assert (again.result, again.events) == (done.result, ())


def test_others_stop_it_and_its_author_completes_it_still(
    ledger: Ledger, ana: Identity, bo: Identity, artifact: Artifact
) -> None:
    stream = begin(ledger, ana, artifact)
    append(ledger, ana, stream, "More.")
    with pytest.raises(Forbidden, match="Only its author"):
        finish(ledger, bo, stream, length=5)
    stopped = finish(ledger, bo, stream, status="INTERRUPTED", length=5)
    assert [event.type for event in stopped.events] == ["artifact.stream_ended"]
    assert stopped.events[0].actor == bo.author
    assert row(ledger, stream) == ("INTERRUPTED", 5, 5, "More.")
    again = finish(ledger, bo, stream, status="INTERRUPTED", length=0)
    assert (again.result, again.events) == (stopped.result, ())
    packed = contents.packed("REPORT", "Some text. More.")
    assert finish(ledger, ana, stream, content=packed, length=5).result.version == 2


def test_those_are_interrupted_to_which_nothing_was_appended(
    ledger: Ledger, ana: Identity, bo: Identity, artifact: Artifact, clock: Clock
) -> None:
    ended = begin(ledger, ana, artifact, "/ended")
    finish(ledger, ana, ended)
    oldest, old = begin(ledger, ana, artifact, "/a"), begin(ledger, bo, artifact, "/b")
    clock.now += 10
    append(ledger, bo, old, "x")
    recent = begin(ledger, ana, artifact, "/c")
    clock.now += 10
    for rows, before, found in ((1, NOW + 11, [oldest]), (9, NOW + 10, []), (9, NOW + 11, [old, recent])):
        done = ledger.do(InterruptArtifactStreams(before=before, rows=rows))
        told = {(event.data.id, event.actor.key) for event in done.events}  # type: ignore[attr-defined]
        assert (done.result, told) == (len(found), {(each.id, each.author.key) for each in found})
    ends = "SELECT status, ended_at FROM artifact_stream ORDER BY id"
    assert ledger.sql(ends) == [("COMPLETE", NOW)] + [("INTERRUPTED", NOW + 20)] * 3


def test_one_that_a_clock_that_was_ahead_has_dated_is_interrupted(
    ledger: Ledger, ana: Identity, artifact: Artifact, clock: Clock
) -> None:
    """Else it kept others from its text until the clock got there. A clock that was set back a little ends none."""
    clock.now = NOW + 24 * 3_600_000
    ahead = begin(ledger, ana, artifact, "/a")
    clock.now = NOW + 60_000
    begin(ledger, ana, artifact, "/b")
    clock.now = NOW
    done = ledger.do(InterruptArtifactStreams(before=NOW - 60_000))
    assert [event.data.id for event in done.events] == [ahead.id]  # type: ignore[attr-defined]


# Erased


def test_with_a_user_go_their_texts_that_no_version_has(
    ledger: Ledger, root: Identity, ana: Identity, bo: Identity, artifact: Artifact, other: ArtifactStream
) -> None:
    complete, stopped, empty = (begin(ledger, bo, artifact, pointer) for pointer in ("/a", "/b", "/c"))
    for each in (complete, stopped):
        append(ledger, bo, each, "More.")
    finish(ledger, bo, complete, content=contents.packed("REPORT", "Some text. More."), length=5)
    finish(ledger, bo, stopped, status="INTERRUPTED", newest=2, length=5)
    ledger.do(DeleteUser(identity=root, user_id=bo.user.id, content="remove"))
    told: list[Any] = []
    while (done := ledger.do(EraseContent())).result:
        told += [event.data for event in done.events]
    ends = [each.id for each in told if isinstance(each, ArtifactStream)]
    assert ends == [stopped.id, empty.id]
    assert row(ledger, stopped) == ("INTERRUPTED", 0, 0, "")
    assert row(ledger, empty) == ("INTERRUPTED", 0, 0, "")
    assert row(ledger, complete) == ("COMPLETE", 5, 5, "")
    assert row(ledger, other) == ("STREAMING", 5, 5, "other")
