"""Texts of artifacts that grow while they are written: begun, appended to, completed, stopped."""

from typing import Literal

import orjson

from actors import limits
from actors.errors import Overloaded, PreconditionFailed, TooLarge, ValidationFailed, XpError
from actors.identifiers import new_id
from actors.resources.artifact_streams import (
    ARTIFACT_DELTA,
    AppendToArtifact,
    ArtifactDelta,
    ArtifactStream,
    FinishArtifactStream,
    GetArtifactStream,
    Grown,
    ListArtifactStreams,
    OpenArtifactStream,
    WrittenStream,
    grown,
)
from actors.resources.artifacts import contents
from actors.resources.artifacts.contents import Packed
from actors.resources.artifacts.queries import GetArtifact, GetArtifactVersion
from actors.resources.comments import anchors
from actors.threads.inbox import TellEphemeral
from server.api.cursors import integer
from server.api.registry import Call, Operations, Result
from server.resources.artifact_streams.views import (
    AppendToArtifactRequest,
    ArtifactStreamRequest,
    ArtifactStreamView,
    FullArtifactStreamView,
    GrownView,
    ListArtifactStreamsRequest,
    OpenArtifactStreamRequest,
    stream_view,
)
from server.resources.artifacts.revising import provenance_of

operations = Operations("artifacts")


@operations("GET", "/artifacts/{id}/streams", response=ArtifactStreamView, paged=True)
async def list_artifact_streams(call: Call, request: ListArtifactStreamsRequest) -> Result:
    """Streams into an artifact, newest first, without their texts."""
    query = ListArtifactStreams(
        call.identity, request.id, limit=request.limit, before=integer(request.cursor), status=request.status
    )
    page = await call.services.ask(query)
    return Result(list(map(stream_view, page.items)), next_cursor=page.next_cursor, limit=request.limit)


@operations("POST", "/artifacts/{id}/streams", response=FullArtifactStreamView, status=201)
async def open_artifact_stream(call: Call, request: OpenArtifactStreamRequest) -> Result:
    """Begin to write after a text of an artifact, piece by piece, while others read. For members who may write.

    Subscribers of the thread receive the pieces as `artifact.delta`. A version with the text is made at the end.
    """
    artifact = await call.services.ask(GetArtifact(call.identity, request.id, with_content=False))
    number = request.version or artifact.version
    try:
        _, version = await call.services.ask(GetArtifactVersion(call.identity, request.id, number))
        await call.services.compute(call.identity, _must_be_text, version.content or '""', request.pointer)
    except XpError as refusal:
        stream = await call.first(refusal)
    else:
        command = OpenArtifactStream(
            identity=call.identity, once=call.once, thread_id=artifact.thread_id, artifact_id=artifact.id,
            stream_id=new_id(), pointer=request.pointer, base=number, provenance=provenance_of(request),
        )  # fmt: skip
        stream = await call.services.result(command)
    return await _answer(call, stream, f"/api/v1/artifacts/{artifact.id}/streams/{stream.id}")


def _must_be_text(content: str, pointer: str) -> None:
    if not isinstance(anchors.value(orjson.loads(content), pointer, "pointer"), str):
        raise ValidationFailed({"pointer": ["expected the place of a text; this version has another value there."]})


@operations("GET", "/artifacts/{id}/streams/{stream_id}", response=FullArtifactStreamView)
async def get_artifact_stream(call: Call, request: ArtifactStreamRequest) -> Result:
    """A stream with its text so far: who comes late goes on from its `length` by the deltas."""
    found = await call.services.ask(GetArtifactStream(call.identity, request.id, request.stream_id))
    return _shown(found)


@operations("POST", "/artifacts/{id}/streams/{stream_id}/append", response=GrownView)
async def append_to_artifact(call: Call, request: AppendToArtifactRequest) -> Result:
    """Append text to a stream of yours. It is durable when this is answered, and subscribers get it then."""
    artifact = await call.services.ask(GetArtifact(call.identity, request.id, with_content=False))
    command = AppendToArtifact(
        identity=call.identity, once=call.once, thread_id=artifact.thread_id, artifact_id=artifact.id,
        stream_id=request.stream_id, text=request.text, index=request.index,
    )  # fmt: skip
    more = await call.services.result(command)
    if request.text:
        _tell(call, more, request.text)
    return Result({"length": more.length})


def _tell(call: Call, more: Grown, text: str) -> None:
    stream = more.stream
    delta = ArtifactDelta(stream.artifact_id, stream.id, stream.pointer, more.index, text)
    call.services.directory.tell_if_live(stream.thread_id, TellEphemeral(ARTIFACT_DELTA, delta))


@operations("POST", "/artifacts/{id}/streams/{stream_id}/complete", response=FullArtifactStreamView)
async def complete_artifact_stream(call: Call, request: ArtifactStreamRequest) -> Result:
    """Complete a stream of yours: its text is put after the text at its place, as the newest version.

    Also where that was moved or edited meanwhile, and one that was interrupted. If the place is gone, or the content
    not valid with the text, this is refused, and the stream goes on.
    """
    return await _finish(call, request, "COMPLETE")


@operations("POST", "/artifacts/{id}/streams/{stream_id}/cancel", response=FullArtifactStreamView)
async def cancel_artifact_stream(call: Call, request: ArtifactStreamRequest) -> Result:
    """Stop a stream; for all who may write. Its text so far becomes a version, or stays with it if none can have it."""
    return await _finish(call, request, "INTERRUPTED")


async def _finish(call: Call, request: ArtifactStreamRequest, status: Literal["COMPLETE", "INTERRUPTED"]) -> Result:
    for _ in range(limits.PATCH_TRIES):
        found = await call.services.ask(GetArtifactStream(call.identity, request.id, request.stream_id))
        command = FinishArtifactStream(
            identity=call.identity, once=call.once, thread_id=found.artifact.thread_id, artifact_id=found.artifact.id,
            stream_id=found.stream.id, status=status, newest=found.artifact.version, length=len(found.text),
            content=await call.services.compute(call.identity, _with_text, found, status == "COMPLETE"),
        )  # fmt: skip
        try:
            return await _answer(call, await call.services.result(command))
        except PreconditionFailed:
            continue
    raise Overloaded("Others change the artifact all the time; retry.")


def _with_text(found: WrittenStream, must: bool) -> Packed | None:
    """The newest content with the text; None where there is nothing to put there."""
    assert found.artifact.newest is not None
    if found.stream.version is not None:
        return None
    newest = orjson.loads(found.artifact.newest.content or '""')
    base = newest if found.base is None else orjson.loads(found.base)
    content = grown(base, newest, found.stream.pointer, found.text)
    if content is None and must:
        raise ValidationFailed({"pointer": ["The place of this text is gone; restore it, or stop the stream."]})
    try:
        return None if content is None else contents.packed(found.artifact.type, content)
    except (ValidationFailed, TooLarge):
        if must:
            raise
        return None


async def _answer(call: Call, stream: ArtifactStream, location: str | None = None) -> Result:
    """As it is now, with its text."""
    found = await call.services.ask(GetArtifactStream(call.identity, stream.artifact_id, stream.id))
    result = _shown(found)
    result.location = location
    return result


def _shown(found: WrittenStream) -> Result:
    shown = {**stream_view(found.stream), "text": found.text, "length": len(found.text)}
    return Result(shown, version=len(found.text) + 1)
