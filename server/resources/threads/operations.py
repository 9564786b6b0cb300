"""Threads: visible only to their members and to admins."""

from actors import permissions
from actors.resources.members import MarkRead
from actors.resources.threads import CreateThread, DeleteThread, GetThread, HandOver, ListThreads, Thread, UpdateThread
from server.api import render
from server.api.common_views import DeletedView
from server.api.cursors import integer
from server.api.fields import ById, given
from server.api.registry import Call, Operations, Result
from server.resources.threads.views import (
    CreateThreadRequest,
    HandOverRequest,
    ListThreadsRequest,
    MarkReadRequest,
    MemberView,
    ThreadView,
    UpdateThreadRequest,
)

operations = Operations("threads")


@operations("GET", "/threads", response=ThreadView, paged=True)
async def list_threads(call: Call, request: ListThreadsRequest) -> Result:
    """Your threads, most recently active first; admins can list every thread with `all`."""
    if request.all:
        permissions.must_administer(call.identity)
    page = await call.services.ask(
        ListThreads(
            call.identity,
            limit=request.limit,
            before=integer(request.cursor),
            status=request.status,
            everything=request.all,
        )
    )
    shown = [render.thread(thread) for thread in page.items]
    return Result(shown, next_cursor=page.next_cursor, limit=request.limit)


@operations("POST", "/threads", response=ThreadView, status=201)
async def create_thread(call: Call, request: CreateThreadRequest) -> Result:
    """Create a thread, with you as its owner, and optionally with members."""
    members = tuple((member.user_id, member.role) for member in request.members)
    command = CreateThread(
        identity=call.identity, once=call.once, title=request.title, thread_id=request.id,
        metadata=request.metadata, members=members,
    )  # fmt: skip
    thread = await call.services.result(command)
    return _shown(thread, location=f"/api/v1/threads/{thread.id}")


@operations("GET", "/threads/{id}", response=ThreadView)
async def get_thread(call: Call, request: ById) -> Result:
    """One thread; the events after its `offset` bring it up to date."""
    return _shown(await call.services.ask(GetThread(call.identity, request.id)))


@operations("PATCH|PUT", "/threads/{id}", response=ThreadView)
async def update_thread(call: Call, request: UpdateThreadRequest) -> Result:
    """Change title, status, metadata, or `while_streaming`. For owners and admins."""
    changes = given(request, "title", "status", "metadata", "while_streaming")
    command = UpdateThread(
        identity=call.identity,
        once=call.once,
        thread_id=request.id,
        if_version=call.if_version,
        origin=call.origin,
        **changes,
    )
    return _shown(await call.services.result(command))


@operations("POST", "/threads/{id}/control", response=ThreadView)
async def hand_over(call: Call, request: HandOverRequest) -> Result:
    """Set who answers: `bot`, `human` (assistants may not write), or `shared`. For all who may write."""
    command = HandOver(
        identity=call.identity, once=call.once, thread_id=request.id, control=request.control, reason=request.reason
    )
    return _shown(await call.services.result(command))


@operations("DELETE", "/threads/{id}", response=DeletedView)
async def delete_thread(call: Call, request: ById) -> Result:
    """Delete a thread with all of its content. For owners and admins."""
    command = DeleteThread(identity=call.identity, thread_id=request.id, if_version=call.if_version, origin=call.origin)
    await call.services.directory.ask(command)
    return Result({"id": request.id, "deleted": True})


@operations("POST", "/threads/{thread_id}/read", response=MemberView)
async def mark_read(call: Call, request: MarkReadRequest) -> Result:
    """Advance your read marker to `offset`, or to the newest message; it never moves back."""
    command = MarkRead(identity=call.identity, once=call.once, thread_id=request.thread_id, offset=request.offset)
    done = await call.services.directory.ask(command)
    return Result(render.member(done.result))


def _shown(thread: Thread, location: str | None = None) -> Result:
    return Result(render.thread(thread), version=thread.version, location=location)
