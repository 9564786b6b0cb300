"""Artifacts: insights, reports, dashboards, PDFs and references of a thread, with their versions."""

import orjson

from actors.errors import XpError
from actors.identifiers import new_id
from actors.resources.artifacts import contents, json_diff
from actors.resources.artifacts.artifact import Version
from actors.resources.artifacts.commands import CreateArtifact, DeleteArtifact, RestoreArtifact
from actors.resources.artifacts.comparing import compared
from actors.resources.artifacts.data_sets import (
    AppendData,
    DeleteData,
    GetData,
    ListData,
    ReplaceData,
    StoredData,
    checked,
)
from actors.resources.artifacts.queries import (
    ArtifactFilter,
    GetArtifact,
    GetArtifactVersion,
    ListArtifacts,
    ListArtifactVersions,
)
from actors.resources.artifacts.shares import CreateShare, ListShares, RevokeShare
from server.api import render
from server.api.common_views import DeletedView
from server.api.cursors import integer
from server.api.fields import ById
from server.api.registry import Call, Operations, Result
from server.resources.artifacts import rendering
from server.resources.artifacts.data_views import (
    AppendDataRequest,
    DataRequest,
    DataView,
    DeletedDataView,
    FullDataView,
    ReplaceDataRequest,
)
from server.resources.artifacts.revising import provenance_of, revised
from server.resources.artifacts.share_views import ShareArtifactRequest, ShareRequest, ShareView
from server.resources.artifacts.views import (
    ArtifactVersionRequest,
    ArtifactVersionView,
    ArtifactView,
    CompareVersionsRequest,
    ComparisonView,
    CreateArtifactRequest,
    FullVersionView,
    ListArtifactsRequest,
    ListArtifactVersionsRequest,
    ListedArtifactView,
    ListThreadArtifactsRequest,
    RestoreVersionRequest,
    UpdateArtifactRequest,
    ValidateArtifactRequest,
    ValidatedArtifactView,
)

operations = Operations("artifacts")


@operations("GET", "/artifacts", response=ListedArtifactView, paged=True)
async def list_artifacts(call: Call, request: ListArtifactsRequest) -> Result:
    """Artifacts of your threads, newest first. `fields` chooses what is shown of each."""
    wanted = ArtifactFilter(
        thread_id=request.thread_id, creator_id=request.creator_id, type=request.type,
        updated_from=request.updated_since,
        text=request.q,
    )  # fmt: skip
    names = request.fields.split(",") if request.fields is not None else None
    page = await call.services.ask(
        ListArtifacts(
            call.identity, wanted, limit=request.limit, before=integer(request.cursor),
            with_content=names is None or "content" in names,
        )
    )  # fmt: skip
    shown = [_chosen(rendering.artifact(artifact), names) for artifact in page.items]
    return Result(shown, next_cursor=page.next_cursor, limit=request.limit)


def _chosen(shown: render.Json, names: list[str] | None) -> render.Json:
    return shown if names is None else {name: shown[name] for name in names}


@operations("GET", "/threads/{thread_id}/artifacts", response=ListedArtifactView, paged=True)
async def list_thread_artifacts(call: Call, request: ListThreadArtifactsRequest) -> Result:
    """Artifacts of a thread, newest first."""
    return await list_artifacts(call, request)


@operations("POST", "/threads/{thread_id}/artifacts", response=ArtifactView, status=201)
async def create_artifact(call: Call, request: CreateArtifactRequest) -> Result:
    """Create an artifact in a thread. Its content is an object as its type has it, or a Markdown text."""
    content = await call.services.compute(call.identity, contents.packed, request.type, request.content)
    command = CreateArtifact(
        identity=call.identity, once=call.once, thread_id=request.thread_id, artifact_id=request.id or new_id(),
        type=request.type, title=request.title, content=content, metadata=request.metadata, label=request.label,
        provenance=provenance_of(request),
    )  # fmt: skip
    artifact = (await call.services.directory.ask(command)).result
    return await _answer(call, artifact.id, location=f"/api/v1/artifacts/{artifact.id}")


@operations("POST", "/artifacts/validate", response=ValidatedArtifactView, scope="read", rate="read")
async def validate_artifact(call: Call, request: ValidateArtifactRequest) -> Result:
    """Check a content without storing it: every fault at once, with its JSON pointer, limit and actual value."""
    found = await call.services.compute(call.identity, contents.faults, request.type, request.content)
    return Result({"valid": not found, "type": request.type, "faults": list(map(rendering.fault, found))})


@operations("GET", "/artifacts/{id}", response=ArtifactView)
async def get_artifact(call: Call, request: ById) -> Result:
    """An artifact with the content of its newest version."""
    return await _answer(call, request.id)


@operations("PATCH|PUT", "/artifacts/{id}", response=ArtifactView, failures=(428,))
async def update_artifact(call: Call, request: UpdateArtifactRequest) -> Result:
    """Make another version: by a whole `content`, a JSON Patch, or a merge patch; and by title and metadata.

    A whole content in place of another user's version needs `If-Match` (else 428). A patch is applied to the newest
    version. For members who may write.
    """
    return await _answer(call, (await revised(call, request)).id)


@operations("DELETE", "/artifacts/{id}", response=DeletedView)
async def delete_artifact(call: Call, request: ById) -> Result:
    """Delete an artifact with all versions. For its creator, the thread's owners and admins."""
    before = await call.services.ask(GetArtifact(call.identity, request.id, with_content=False))
    command = DeleteArtifact(
        identity=call.identity, thread_id=before.thread_id, artifact_id=before.id, if_version=call.if_version,
        origin=call.origin,
    )  # fmt: skip
    await call.services.directory.ask(command)
    return Result({"id": before.id, "deleted": True})


@operations("GET", "/artifacts/{id}/versions", response=ArtifactVersionView, paged=True)
async def list_artifact_versions(call: Call, request: ListArtifactVersionsRequest) -> Result:
    """Versions of an artifact, newest first, without their contents."""
    page = await call.services.ask(
        ListArtifactVersions(call.identity, request.id, limit=request.limit, before=integer(request.cursor))
    )
    shown = [rendering.version(version) for version in page.items]
    return Result(shown, next_cursor=page.next_cursor, limit=request.limit)


@operations("GET", "/artifacts/{id}/versions/{number}", response=FullVersionView)
async def get_artifact_version(call: Call, request: ArtifactVersionRequest) -> Result:
    """One version of an artifact, with its content. It never changes."""
    _, version = await call.services.ask(GetArtifactVersion(call.identity, request.id, request.number))
    return Result(rendering.version(version), version=version.number)


@operations("POST", "/artifacts/{id}/versions/{number}/restore", response=ArtifactView)
async def restore_artifact_version(call: Call, request: RestoreVersionRequest) -> Result:
    """Make the title, content and metadata of an earlier version the newest version. For members who may write."""
    try:
        command = await _restored(call, request)
    except XpError as refusal:
        await call.first(refusal)
    else:
        await call.services.directory.ask(command)
    return await _answer(call, request.id)


async def _restored(call: Call, request: RestoreVersionRequest) -> RestoreArtifact:
    before, version = await call.services.ask(GetArtifactVersion(call.identity, request.id, request.number))
    content = orjson.loads(version.content or '""')
    words = await call.services.compute(call.identity, contents.words, content)
    return RestoreArtifact(
        identity=call.identity, once=call.once, thread_id=before.thread_id, artifact_id=before.id,
        number=request.number, words=words, deadlines=contents.deadlines(content), label=request.label,
    )  # fmt: skip


@operations("GET", "/artifacts/{id}/diff", response=ComparisonView, rate="costly")
async def compare_artifact_versions(call: Call, request: CompareVersionsRequest) -> Result:
    """What changed between two versions: a JSON Patch of the content, and texts line by line."""
    newest, older = await call.services.ask(GetArtifactVersion(call.identity, request.id, request.older))
    number = newest.version if request.newer is None else request.newer
    _, newer = await call.services.ask(GetArtifactVersion(call.identity, request.id, number))
    return Result(await call.services.compute(call.identity, _comparison, older, newer))


def _comparison(older: Version, newer: Version) -> render.Json:
    found = compared(orjson.loads(older.content or ""), orjson.loads(newer.content or ""))
    return {
        "older": older.number,
        "newer": newer.number,
        "title": None if older.title == newer.title else [older.title, newer.title],
        "metadata": json_diff.diff(orjson.loads(older.metadata), orjson.loads(newer.metadata)),
        "patch": found.patch,
        "texts": [{"pointer": text.pointer, "lines": list(text.lines)} for text in found.texts],
    }


@operations("GET", "/artifacts/{id}/shares", response=ShareView)
async def list_artifact_shares(call: Call, request: ById) -> Result:
    """Links to an artifact, newest first, with the number of their views; also links that have ended."""
    found = await call.services.ask(ListShares(call.identity, request.id))
    return Result([rendering.share(share) for share in found])


@operations("POST", "/artifacts/{id}/shares", response=ShareView, status=201, rate="audited", reads_later=True)
async def share_artifact(call: Call, request: ShareArtifactRequest) -> Result:
    """Create a link that reads the artifact without a token, until it expires or is revoked.

    It has your rights: when you no longer see the artifact, neither does the link. For members who may write.
    """
    share_id, now = new_id(), int(call.services.clock())
    command = CreateShare(
        identity=call.identity, once=call.once, share_id=share_id, artifact_id=request.id, version=request.version,
        label=request.label, expires_at=(now + request.seconds) * 1000, origin=call.origin,
    )  # fmt: skip
    share = (await call.services.write(command)).result
    keys = call.services.files.url_keys.keys
    path = f"/api/v1/artifacts/shared/{share.id}"
    url = keys.sign("GET", path, call.identity.user.id, share.expires_at // 1000, call.identity.api_key_id)
    return Result(rendering.share(share, url))


@operations("DELETE", "/artifacts/{id}/shares/{share_id}", response=ShareView)
async def revoke_artifact_share(call: Call, request: ShareRequest) -> Result:
    """Revoke a link. For the user who made it, the thread's owners and admins."""
    command = RevokeShare(
        identity=call.identity, artifact_id=request.id, share_id=request.share_id, origin=call.origin
    )  # fmt: skip
    return Result(rendering.share((await call.services.write(command)).result))


# Data sets


@operations("GET", "/artifacts/{id}/data", response=DataView)
async def list_artifact_data(call: Call, request: ById) -> Result:
    """Data sets of an artifact, by name, without their rows."""
    found = await call.services.ask(ListData(call.identity, request.id))
    return Result(list(map(rendering.data_set, found)))


@operations("GET", "/artifacts/{id}/data/{name}", response=FullDataView)
async def get_artifact_data(call: Call, request: DataRequest) -> Result:
    """One data set with its rows."""
    found = await call.services.ask(GetData(call.identity, request.id, request.name))
    return Result(rendering.data_set(found), version=found.revision)


@operations("PUT", "/artifacts/{id}/data/{name}", response=DataView)
async def replace_artifact_data(call: Call, request: ReplaceDataRequest) -> Result:
    """Create a data set, or replace it. Panels and charts show it at once, without a new version of the artifact."""
    rows = await call.services.compute(call.identity, checked, request.rows, len(request.columns))
    artifact = await call.services.ask(GetArtifact(call.identity, request.id, with_content=False))
    command = ReplaceData(
        identity=call.identity, once=call.once, thread_id=artifact.thread_id, artifact_id=artifact.id,
        name=request.name, columns=tuple(request.columns), rows=rows, if_version=call.if_version,
    )  # fmt: skip
    return _data((await call.services.directory.ask(command)).result)


@operations("PATCH", "/artifacts/{id}/data/{name}", response=DataView)
async def append_artifact_data(call: Call, request: AppendDataRequest) -> Result:
    """Append rows to a data set; `keep` drops the oldest."""
    width = len(request.rows[0]) if request.rows and isinstance(request.rows[0], list) else 0
    rows = await call.services.compute(call.identity, checked, request.rows, width)
    artifact = await call.services.ask(GetArtifact(call.identity, request.id, with_content=False))
    command = AppendData(
        identity=call.identity, once=call.once, thread_id=artifact.thread_id, artifact_id=artifact.id,
        name=request.name, rows=rows, width=width, keep=request.keep, if_version=call.if_version,
    )  # fmt: skip
    return _data((await call.services.directory.ask(command)).result)


@operations("DELETE", "/artifacts/{id}/data/{name}", response=DeletedDataView)
async def delete_artifact_data(call: Call, request: DataRequest) -> Result:
    """Delete a data set. For members who may write."""
    artifact = await call.services.ask(GetArtifact(call.identity, request.id, with_content=False))
    command = DeleteData(
        identity=call.identity, thread_id=artifact.thread_id, artifact_id=artifact.id, name=request.name,
        if_version=call.if_version,
    )  # fmt: skip
    await call.services.directory.ask(command)
    return Result({"artifact_id": artifact.id, "name": request.name, "deleted": True})


def _data(stored: StoredData) -> Result:
    return Result(rendering.data_set(stored), version=stored.revision)


async def _answer(call: Call, artifact_id: str, location: str | None = None) -> Result:
    """As it is now, with its content."""
    artifact = await call.services.ask(GetArtifact(call.identity, artifact_id))
    return Result(rendering.artifact(artifact), version=artifact.version, location=location)
