"""Exports that take long: begun here, followed by `export.progress`, fetched within a day."""

from functools import partial
from typing import Any, cast

from actors import limits
from actors.identifiers import new_id
from actors.resources.artifacts.queries import GetArtifact, GetArtifactVersion
from actors.resources.exports import Export, ExportKind
from actors.resources.threads import GetThread
from server.api.common_views import DeletedView
from server.api.fields import ById, Nothing
from server.api.registry import Call, Operations, Result
from server.artifacts.figures import SHOWN_IN, with_images
from server.artifacts.printing import SHORT_NAMES, Format, printed
from server.artifacts.sources import source_of
from server.exports.exported import Exported
from server.exports.printer import OnProgress
from server.exports.threads import ThreadFormat, exported_thread, most_of, transcript_of
from server.resources.export_jobs.views import ExportArtifactRequest, ExportJobView, ExportThreadRequest, export_view

operations = Operations("exports")


@operations("POST", "/artifacts/{id}/exports", response=ExportJobView, status=202, scope="read", rate="costly")
async def create_artifact_export(call: Call, request: ExportArtifactRequest) -> Result:
    """Export an artifact as a job: `export.progress` on your own channel says how far it is.

    Its file can be fetched for a day.
    """
    form = cast(Format, SHORT_NAMES.get(request.format, request.format))  # the request takes no other
    ask = call.services.ask
    if request.version is None:
        await ask(GetArtifact(call.identity, request.id, with_content=False))
    else:
        await ask(GetArtifactVersion(call.identity, request.id, request.version))

    async def make(on_progress: OnProgress) -> Exported:
        source = await source_of(ask, call.identity, request.id, request.version)
        compute = partial(call.services.compute, call.identity)
        if form in SHOWN_IN:
            source = await with_images(ask, call.services.files.blobs, call.identity, source, compute)
        return await printed(call.services.printer, source, form, request.chart, on_progress, compute=compute)

    return await _begun(call, _export(call, "artifact", request.id, form, request.version, request.chart), make)


@operations("POST", "/threads/{thread_id}/exports", response=ExportJobView, status=202, scope="read", rate="costly")
async def create_thread_export(call: Call, request: ExportThreadRequest) -> Result:
    """Export a thread's newest messages as a job: 20,000 at most, 5,000 as PDF."""
    form = cast(ThreadFormat, SHORT_NAMES.get(request.format, request.format))  # the request takes no other
    services = call.services
    await services.ask(GetThread(call.identity, request.thread_id))

    async def make(on_progress: OnProgress) -> Exported:
        most = most_of(form, at_once=False)
        transcript = await transcript_of(services.ask, call.identity, request.thread_id, most)
        return await exported_thread(
            services.printer, transcript, form, on_progress, compute=partial(services.compute, call.identity)
        )

    return await _begun(call, _export(call, "thread", request.thread_id, form, None, None), make)


@operations("GET", "/exports", response=ExportJobView)
async def list_exports(call: Call, request: Nothing) -> Result:
    """Your exports of the last day, newest first."""
    return Result(list(map(export_view, call.services.export_jobs.of_user(call.identity.user.id))))


@operations("GET", "/exports/{id}", response=ExportJobView)
async def get_export(call: Call, request: ById) -> Result:
    """One of your exports, and how far it is."""
    return Result(export_view(_own(call, request.id)))


@operations("DELETE", "/exports/{id}", response=DeletedView)
async def delete_export(call: Call, request: ById) -> Result:
    """Remove one of your exports, also while it is made."""
    await call.services.export_jobs.remove(_own(call, request.id))
    return Result({"id": request.id, "deleted": True})


def _own(call: Call, export_id: str) -> Export:
    return call.services.export_jobs.one(call.identity.user.id, export_id)


def _export(
    call: Call, kind: ExportKind, subject_id: str, form: str, version: int | None, chart: str | None
) -> Export:  # fmt: skip
    now, user, once = int(call.services.clock() * 1000), call.identity.user, call.once
    return Export(
        new_id(), user.id, user.key, kind, subject_id, form, version, chart, "PENDING", now,
        now + limits.EXPORT_SECONDS_KEPT * 1000, once_key=once.key if once else None,
        fingerprint=once.fingerprint if once else None,
    )  # fmt: skip


async def _begun(call: Call, export: Export, make: Any) -> Result:
    begun = await call.services.export_jobs.begin(export, make)
    return Result(export_view(begun), location=f"/api/v1/exports/{begun.id}")
