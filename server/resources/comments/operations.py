"""Comments on artifacts: about all of it, a place of its content, or a range of a text; with replies."""

from collections.abc import Sequence

import orjson

from actors.commands import UNSET
from actors.errors import XpError
from actors.identifiers import new_id
from actors.resources.artifacts.artifact import Artifact
from actors.resources.artifacts.queries import GetArtifact, GetArtifactVersion
from actors.resources.comments import anchors
from actors.resources.comments.anchors import Anchor
from actors.resources.comments.comment import (
    AddComment,
    Commented,
    DeleteComment,
    GetComment,
    ListComments,
    UpdateComment,
)
from server.api.common_views import DeletedView
from server.api.cursors import integer
from server.api.registry import Call, Operations, Result
from server.api.render import Json
from server.resources.comments import rendering
from server.resources.comments.views import (
    AnchorRequest,
    CommentRequest,
    CreateCommentRequest,
    ListCommentsRequest,
    PlacedCommentView,
    UpdateCommentRequest,
)

operations = Operations("artifacts")


@operations("GET", "/artifacts/{id}/comments", response=PlacedCommentView, paged=True)
async def list_comments(call: Call, request: ListCommentsRequest) -> Result:
    """Comments on an artifact and replies to them, newest first, with the place of each in the newest version.

    A page may be shorter than `limit`: comments on many versions take several pages.
    """
    query = ListComments(
        call.identity, request.id, limit=request.limit, before=integer(request.cursor), parent_id=request.parent_id,
        is_resolved=request.resolved,
    )  # fmt: skip
    found = await call.services.ask(query)
    return Result(await _placed(call, found), next_cursor=found.comments.next_cursor, limit=request.limit)


@operations("POST", "/artifacts/{id}/comments", response=PlacedCommentView, status=201)
async def create_comment(call: Call, request: CreateCommentRequest) -> Result:
    """Comment on an artifact, a place of its content, or a range of a text there; or reply to a comment.

    For members who may write. The members that it names are notified, the artifact's creator, and those who have
    written in the same conversation.
    """
    artifact = await call.services.ask(GetArtifact(call.identity, request.id, with_content=False))
    try:
        command = await _added(call, request, artifact)
    except XpError as refusal:
        made = await call.first(refusal)
    else:
        made = await call.services.result(command)
    location = f"/api/v1/artifacts/{artifact.id}/comments/{made.id}"
    return await _answer(call, artifact.id, made.id, location)


async def _added(call: Call, request: CreateCommentRequest, artifact: Artifact) -> AddComment:
    number, anchor = request.version or artifact.version, None
    if request.anchor is not None:
        _, version = await call.services.ask(GetArtifactVersion(call.identity, artifact.id, number))
        anchor = await call.services.compute(call.identity, _anchor, version.content or '""', request.anchor)
    return AddComment(
        identity=call.identity, once=call.once, thread_id=artifact.thread_id, artifact_id=artifact.id,
        comment_id=new_id(), content=request.content, base=number, anchor=anchor, parent_id=request.parent_id,
    )  # fmt: skip


def _anchor(content: str, wanted: AnchorRequest) -> Anchor:
    return anchors.made(orjson.loads(content), wanted.pointer, wanted.start, wanted.end, wanted.quote)


@operations("GET", "/artifacts/{id}/comments/{comment_id}", response=PlacedCommentView)
async def get_comment(call: Call, request: CommentRequest) -> Result:
    """A comment, with its place in the newest version."""
    return await _answer(call, request.id, request.comment_id)


@operations("PATCH|PUT", "/artifacts/{id}/comments/{comment_id}", response=PlacedCommentView)
async def update_comment(call: Call, request: UpdateCommentRequest) -> Result:
    """Edit a comment of yours; resolve or reopen any. For members who may write."""
    artifact = await call.services.ask(GetArtifact(call.identity, request.id, with_content=False))
    given = request.model_fields_set
    command = UpdateComment(
        identity=call.identity, once=call.once, thread_id=artifact.thread_id, artifact_id=artifact.id,
        comment_id=request.comment_id, content=request.content if "content" in given else UNSET,
        is_resolved=request.resolved if "resolved" in given else UNSET, if_version=call.if_version,
    )  # fmt: skip
    await call.services.result(command)
    return await _answer(call, artifact.id, request.comment_id)


@operations("DELETE", "/artifacts/{id}/comments/{comment_id}", response=DeletedView)
async def delete_comment(call: Call, request: CommentRequest) -> Result:
    """Delete a comment; replies to it stay. For its author, the thread's owners and admins."""
    artifact = await call.services.ask(GetArtifact(call.identity, request.id, with_content=False))
    command = DeleteComment(
        identity=call.identity, thread_id=artifact.thread_id, artifact_id=artifact.id, comment_id=request.comment_id,
        if_version=call.if_version, origin=call.origin,
    )  # fmt: skip
    await call.services.result(command)
    return Result({"id": request.comment_id, "deleted": True})


async def _placed(call: Call, found: Commented) -> Sequence[Json]:
    """A turn of computing for each version that comments are about: others have theirs in between."""
    places: dict[str, Json] = {}
    for base in found.bases:
        places |= await call.services.compute(call.identity, rendering.places, found, base)
    return rendering.placed(found, places)


async def _answer(call: Call, artifact_id: str, comment_id: str, location: str | None = None) -> Result:
    """As it is now."""
    found = await call.services.ask(GetComment(call.identity, artifact_id, comment_id))
    (shown,) = await _placed(call, found)
    return Result(shown, version=found.comments.items[0].version, location=location)
