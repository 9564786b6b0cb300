"""What commands do to texts that grow in artifacts."""

from actors import limits
from actors.auth.identity import Identity
from actors.errors import Conflict, Forbidden, NotFound, PreconditionFailed, TooLarge
from actors.events import Event, EventKind
from actors.outcomes import Done
from actors.permissions import must_match
from actors.resources.artifact_streams import (
    STREAM_ENDED,
    STREAM_STARTED,
    AppendToArtifact,
    ArtifactStream,
    FinishArtifactStream,
    Grown,
    InterruptArtifactStreams,
    OpenArtifactStream,
    must_be_streamed_by,
)
from actors.resources.artifacts.artifact import Artifact
from actors.resources.artifacts.commands import ReviseArtifact
from actors.resources.users import Author
from storage.journal import results
from storage.journal.transaction import Transaction
from storage.journal.writers import writes
from storage.readers import rows
from storage.resources.artifact_streams import records
from storage.resources.artifacts import places
from storage.resources.artifacts import writing as artifact_writing
from storage.resources.artifacts.places import Place
from storage.schema import artifact_models, artifact_stream_models, models

_A, _T = artifact_models.Artifact, models.Thread
_S, _P = artifact_stream_models.ArtifactStream, artifact_stream_models.ArtifactPiece


@writes(OpenArtifactStream)
def open_stream(tx: Transaction, command: OpenArtifactStream) -> Done[ArtifactStream]:
    place = places.find_to_change(tx, command.artifact_id, command.identity)
    artifact_writing.must_be_message(tx, place.thread[0], command.provenance)
    _must_be_free(tx, place.key, command.pointer)
    _drop_oldest(tx, place.key)
    author, source = command.identity.author, command.provenance
    key = tx.execute(_S.insert(
        uid=command.stream_id, artifact=place.key, author=author.key, pointer=command.pointer, base=command.base,
        message=source.message_id, tool_call=source.tool_call, model=source.model, status="STREAMING",
        created_at=tx.now, touched_at=tx.now,
    ))  # fmt: skip
    stream, events = _told(tx, key, place.thread, author, STREAM_STARTED)
    return Done(stream, events)


def _must_be_free(tx: Transaction, artifact: int, pointer: str) -> None:
    """One stream writes a text at a time."""
    there = (_S.artifact == artifact) & (_S.status == "STREAMING")
    found = [row[0] for row in rows.fetch(tx.database, _S.select(_S.pointer).where(there))]
    if pointer in found:
        raise Conflict("Another stream writes this text; wait for its end, or stop it.", code="text_streaming")
    if len(found) >= limits.ARTIFACT_STREAMS:
        sentence = f"An artifact may have {limits.ARTIFACT_STREAMS} open streams, and this one has them."
        raise Conflict(sentence, code="streams_full")


def _drop_oldest(tx: Transaction, artifact: int) -> None:
    """Of the texts that no version has got."""
    left = (_S.artifact == artifact) & (_S.status == "INTERRUPTED") & (_S.size > 0) & _S.version.is_null()
    kept = limits.ARTIFACT_STREAMS_KEPT
    oldest = _S.select(_S.id).where(left).order_by(_S.id.desc()).offset(kept).limit(limits.ARTIFACT_STREAMS_ERASED)
    keys = [row[0] for row in rows.fetch(tx.database, oldest)]
    if keys:
        tx.execute(_P.delete().where(_P.stream.in_(keys)))
        tx.execute(_S.update(length=0, size=0).where(_S.id.in_(keys)))


@writes(AppendToArtifact)
def append(tx: Transaction, command: AppendToArtifact) -> Done[Grown]:
    """Every right that opening it took is asked again."""
    place = places.find_to_change(tx, command.artifact_id, command.identity)
    stream, length, size = _find(tx, place, command.stream_id)
    must_be_streamed_by(command.identity, stream)
    if command.index is not None and command.index != length:
        _must_be_there(tx, stream.key, command.text, command.index, length)
        tx.execute(_S.update(touched_at=tx.now).where(_S.id == stream.key))
        return Done(Grown(stream, command.index, length))
    more = len(command.text.encode())
    if size + more > limits.ARTIFACT_BYTES:
        raise TooLarge("A streamed text", limits.ARTIFACT_BYTES, size + more)
    if command.text:
        _write(tx, stream.key, command.text, length)
    now = length + len(command.text)
    tx.execute(_S.update(length=now, size=size + more, touched_at=tx.now).where(_S.id == stream.key))
    return Done(Grown(stream, length, now))


def _write(tx: Transaction, key: int, text: str, length: int) -> None:
    """Short pieces join the one before them: a text that comes by single characters is read in few rows."""
    query = _P.select(_P.start).where(_P.stream == key).order_by(_P.start.desc())
    last = rows.first(tx.database, query)
    if last is not None and length + len(text) - last[0] <= limits.ARTIFACT_PIECE_CHARS:
        tx.execute(_P.update(text=_P.text.concat(text)).where((_P.stream == key) & (_P.start == last[0])))
    else:
        tx.execute(_P.insert(stream=key, start=length, text=text))


def _must_be_there(tx: Transaction, key: int, text: str, index: int, length: int) -> None:
    """A retry is good where the text has it already."""
    if index > length or records.text_of(tx.database, key)[index : index + len(text)] != text:
        raise Conflict(
            f"The text so far has {length} characters, but the piece starts at {index}; "
            "send what follows the text so far.",
            code="stream_gap",
        )  # fmt: skip


@writes(FinishArtifactStream)
def finish(tx: Transaction, command: FinishArtifactStream) -> Done[ArtifactStream]:
    place = places.find_to_change(tx, command.artifact_id, command.identity)
    before, length, _ = _find(tx, place, command.stream_id)
    if command.status == "COMPLETE" and before.author.key != command.identity.user.key:
        raise Forbidden("Only its author completes a stream; others stop it.")
    if before.version is not None or (before.status == "INTERRUPTED" and command.content is None):
        return Done(before)
    must_match(command.newest, place.version)
    if length != command.length:
        raise PreconditionFailed(str(command.length), str(length))
    events: tuple[Event, ...] = ()
    version = None
    if command.content is not None:
        revised = artifact_writing.revise_artifact(tx, ReviseArtifact(
            identity=command.identity, thread_id=command.thread_id, artifact_id=place.id, change="patched",
            content=command.content, provenance=before.provenance, if_version=command.newest,
        ))  # fmt: skip
        assert isinstance(revised.result, Artifact)
        version, events = revised.result.version, revised.events
        tx.execute(_P.delete().where(_P.stream == before.key))
    _end(tx, before.key, command.status, version)
    stream, told = _told(tx, before.key, place.thread, command.identity.author, STREAM_ENDED)
    return Done(stream, (*events, *told))


def _end(tx: Transaction, key: int, status: str, version: int | None = None) -> None:
    tx.execute(_S.update(status=status, version=version, ended_at=tx.now).where(_S.id == key))


@writes(InterruptArtifactStreams)
def interrupt(tx: Transaction, command: InterruptArtifactStreams) -> Done[int]:
    """Their text stays with them: their authors may complete them still."""
    ahead = 2 * tx.now - command.before  # by as much: only a clock that was ahead has dated so
    silent = (_S.status == "STREAMING") & ((_S.touched_at < command.before) | (_S.touched_at > ahead))
    query = _S.select(_S.id, _S.author, _T.id, _T.uid).join(_A, on=(_S.artifact == _A.id)).join_from(
        _A, _T, on=(_A.thread == _T.id)
    )  # fmt: skip
    found = rows.fetch(tx.database, query.where(silent).order_by(_S.touched_at).limit(command.rows))
    events: tuple[Event, ...] = ()
    for key, author, *thread in found:
        _end(tx, key, "INTERRUPTED")
        events += _told(tx, key, (thread[0], thread[1]), tx.author(author), STREAM_ENDED)[1]
    return Done(len(found), events)


def _find(tx: Transaction, place: Place, stream_id: str) -> tuple[ArtifactStream, int, int]:
    """(the stream, characters and bytes of its text)."""
    row = rows.first(tx.database, records.query().where((_S.uid == stream_id) & (_S.artifact == place.key)))
    if row is None:
        raise NotFound("stream", stream_id)
    counted = rows.first(tx.database, _S.select(_S.length, _S.size).where(_S.id == row[0]))
    assert counted is not None
    return records.of(row), counted[0], counted[1]


def _told(
    tx: Transaction, key: int, thread: tuple[int, str], actor: Author, kind: EventKind
) -> tuple[ArtifactStream, tuple[Event, ...]]:
    stream = records.by_key(tx.database, [key])[key]
    return stream, (tx.log(thread, kind, actor, stream, ref=key),)


# Erased


def erase(tx: Transaction, author: int) -> Done[None]:
    """Text of a user that no version has; open streams end."""
    there = _A.deleted_at.is_null() & _T.deleted_at.is_null()
    query = (
        _S.select(_S.id, _T.id, _T.uid).join(_A, on=(_S.artifact == _A.id)).join_from(_A, _T, on=(_A.thread == _T.id))
    )
    theirs = (_S.author == author) & _S.version.is_null() & ((_S.size > 0) | (_S.status == "STREAMING"))
    found = rows.fetch(tx.database, query.where(theirs & there).order_by(_S.id).limit(limits.ARTIFACT_STREAMS_ERASED))
    done = Done(None)
    for key, *thread in found:
        tx.execute(_P.delete().where(_P.stream == key))
        tx.execute(_S.update(length=0, size=0).where(_S.id == key))
        _end(tx, key, "INTERRUPTED")
        done.events += _told(tx, key, (thread[0], thread[1]), tx.author(author), STREAM_ENDED)[1]
    return done


ERASURES = (erase,)


# Results, read again for an idempotency key


def _again(tx: Transaction, identity: Identity, reference: results.Reference) -> ArtifactStream | None:
    places.find(tx, reference["artifact"], identity)
    return records.by_key(tx.database, [reference["key"]]).get(reference["key"])


def _grown_again(tx: Transaction, identity: Identity, reference: results.Reference) -> Grown | None:
    stream = _again(tx, identity, reference)
    return None if stream is None else Grown(stream, reference["index"], reference["length"])


results.keep(ArtifactStream, refer=lambda found: {"artifact": found.artifact_id, "key": found.key}, load=_again)
results.keep(
    Grown,
    refer=lambda found: {
        "artifact": found.stream.artifact_id, "key": found.stream.key, "index": found.index, "length": found.length
    },
    load=_grown_again,
)  # fmt: skip
