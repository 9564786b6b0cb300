"""An update of an artifact becomes a command: its content is checked and packed beside the event loop.

A patch is applied to the version that was read; where another one came meanwhile, it is applied again, unless the
caller named a version.
"""

from typing import Any, cast

import orjson

from actors import limits
from actors.commands import IfVersion
from actors.errors import Overloaded, PreconditionFailed, XpError
from actors.permissions import must_match
from actors.resources.artifacts import contents, revising
from actors.resources.artifacts.artifact import Artifact, Change, Provenance
from actors.resources.artifacts.commands import ReviseArtifact
from actors.resources.artifacts.contents import Packed
from actors.resources.artifacts.queries import GetArtifact
from server.api.fields import given
from server.api.registry import Call
from server.resources.artifacts.views import Sourced, UpdateArtifactRequest


def provenance_of(request: Sourced) -> Provenance:
    return Provenance(request.message_id, request.tool_call, request.model)


async def revised(call: Call, request: UpdateArtifactRequest) -> Artifact:
    for _ in range(limits.PATCH_TRIES):
        before = await call.services.ask(GetArtifact(call.identity, request.id, with_content=_is_patch(request)))
        try:
            command = await _command(call, request, before)
        except XpError as refusal:  # of a retry perhaps, whose patch applies no more because it was applied
            return cast(Artifact, await call.first(refusal))
        try:
            return (await call.services.directory.ask(command)).result
        except PreconditionFailed:
            if call.if_version is not None:
                raise
    raise Overloaded("Others change the artifact all the time; retry, or name the version in `If-Match`.")


def _is_patch(request: UpdateArtifactRequest) -> bool:
    return bool(request.model_fields_set & {"patch", "merge"})


async def _command(call: Call, request: UpdateArtifactRequest, before: Artifact) -> ReviseArtifact:
    change: Change = "replaced"
    more: dict[str, Any] = given(request, "title", "metadata")
    if_version: IfVersion = call.if_version
    if _is_patch(request):
        change = "patched" if "patch" in request.model_fields_set else "merged"
        if_version = before.version
    if "content" in request.model_fields_set:
        more["content"] = await call.services.compute(call.identity, contents.packed, before.type, request.content)
    elif _is_patch(request):
        must_match(call.if_version, before.version)
        more["content"] = await call.services.compute(call.identity, _packed, before, request, change)
    return ReviseArtifact(
        identity=call.identity, once=call.once, thread_id=before.thread_id, artifact_id=before.id, change=change,
        label=request.label, provenance=provenance_of(request), if_version=if_version, **more,
    )  # fmt: skip


def _packed(before: Artifact, request: UpdateArtifactRequest, change: Change) -> Packed:
    assert before.newest is not None
    assert before.newest.content is not None
    content = orjson.loads(before.newest.content)
    if change == "patched":
        return contents.packed(before.type, revising.by_patch(content, request.patch))
    return contents.packed(before.type, revising.by_merge(content, request.merge))
