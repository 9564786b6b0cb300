"""What is kept of texts that grow in artifacts."""

import itertools

import pytest

from actors import limits
from actors.auth.identity import Identity
from actors.errors import Conflict
from actors.events import Event
from actors.identifiers import new_id
from actors.outcomes import Done
from actors.resources.artifact_streams import (
    STREAM_ENDED,
    AppendToArtifact,
    ArtifactStream,
    GetArtifactStream,
    InterruptArtifactStreams,
    OpenArtifactStream,
)
from actors.resources.artifacts.artifact import Artifact
from actors.resources.threads import Thread
from actors.resources.users import DeleteUser, EraseContent
from storage.maintenance import integrity
from storage.readers.answers import answer
from tests.builders import Ledger
from tests.storage.resources.artifacts.desk import Desk


@pytest.fixture
def thread(ledger: Ledger, ana: Identity) -> Thread:
    return ledger.thread(ana, title="plans")


@pytest.fixture
def artifact(ledger: Ledger, ana: Identity, thread: Thread) -> Artifact:
    return Desk(ledger).create(ana, thread)


class Streams:
    """Into one artifact."""

    def __init__(self, ledger: Ledger, who: Identity, thread: Thread, artifact: Artifact) -> None:
        self._ledger = ledger
        self._base = {"identity": who, "thread_id": thread.id, "artifact_id": artifact.id}
        self._who, self._artifact = who, artifact

    def open(self) -> ArtifactStream:
        return self._ledger.do(OpenArtifactStream(**self._base, stream_id=new_id(), pointer="", base=1)).result

    def append(self, stream: ArtifactStream, text: str, index: int | None = None) -> None:
        self._ledger.do(AppendToArtifact(**self._base, stream_id=stream.id, text=text, index=index))

    def text(self, stream: ArtifactStream) -> str:
        query = GetArtifactStream(self._who, self._artifact.id, stream.id)
        return self._ledger.ask(lambda database: answer(database, query)).text

    def interrupt(self) -> Done[int]:
        return self._ledger.do(InterruptArtifactStreams(before=2**53))


@pytest.fixture
def streams(ledger: Ledger, ana: Identity, thread: Thread, artifact: Artifact) -> Streams:
    return Streams(ledger, ana, thread, artifact)


def test_a_text_that_comes_by_characters_is_kept_in_few_rows(ledger: Ledger, streams: Streams) -> None:
    stream, text = streams.open(), "".join(itertools.islice(itertools.cycle("añ👍 "), limits.ARTIFACT_PIECE_CHARS + 3))
    for character in text:
        streams.append(stream, character)
    assert streams.text(stream) == text
    assert ledger.sql("SELECT start, length(text) FROM artifact_piece") == [
        (0, limits.ARTIFACT_PIECE_CHARS), (limits.ARTIFACT_PIECE_CHARS, 3)
    ]  # fmt: skip
    streams.append(stream, text)
    assert ledger.one("SELECT count(*) FROM artifact_piece") == 3, "what is too long for the last row has its own"
    streams.append(stream, text[5:9], 5)
    with pytest.raises(Conflict):
        streams.append(stream, "other", 5)
    assert streams.text(stream) == text * 2
    assert [found for _, found in integrity.check(ledger.reader) if found] == []


def test_of_interrupted_texts_the_newest_are_kept(
    ledger: Ledger, streams: Streams, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ARTIFACT_STREAMS_KEPT", 2)
    left = []
    for number in range(4):
        left.append(streams.open())
        streams.append(left[-1], f"text {number}")
        streams.interrupt()
    assert [streams.text(stream) for stream in left] == ["", "text 1", "text 2", "text 3"]
    streams.open()
    assert [streams.text(stream) for stream in left] == ["", "", "text 2", "text 3"]
    assert [found for _, found in integrity.check(ledger.reader) if found] == []


def test_of_a_user_who_is_erased_nothing_is_left_and_the_thread_hears_of_it(
    ledger: Ledger, root: Identity, streams: Streams, ana: Identity
) -> None:
    stream = streams.open()
    streams.append(stream, "some text")
    ledger.do(DeleteUser(identity=root, user_id=ana.user.id, content="remove"))
    events: list[Event] = []
    while (done := ledger.do(EraseContent())).result:
        events += done.events
    (ended,) = (event.data for event in events if event.type == STREAM_ENDED.name)
    assert isinstance(ended, ArtifactStream)
    assert (ended.id, ended.status) == (stream.id, "INTERRUPTED")
    assert ledger.sql("SELECT * FROM artifact_piece") == []
    assert [found for _, found in integrity.check(ledger.reader) if found] == []


def test_the_thread_hears_of_an_interruption(streams: Streams) -> None:
    stream = streams.open()
    done = streams.interrupt()
    assert (done.result, [event.type for event in done.events]) == (1, [STREAM_ENDED.name])
    ended = done.events[0].data
    assert isinstance(ended, ArtifactStream)
    assert (ended.id, ended.status) == (stream.id, "INTERRUPTED")
