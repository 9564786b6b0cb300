"""The log of a thread, as pages: what WebSocket and SSE deliver, for clients that poll."""

from actors.resources.log import ReadThreadLog
from server.api import events
from server.api.registry import Call, Operations, Result
from server.resources.threads.views import EventView, ListLogRequest

operations = Operations("log")


@operations("GET", "/threads/{thread_id}/log", response=EventView, paged=True)
async def list_events(call: Call, request: ListLogRequest) -> Result:
    """Events after an offset, oldest first, each with its resource in its current state.

    `metadata` has the log's `epoch` and the `offset` of its head. The next page starts `after` the last event's offset,
    which is also `next_cursor`.
    """
    page = await call.services.ask(ReadThreadLog(call.identity, request.thread_id, request.after, limit=request.limit))
    next_cursor = str(page.events[-1].offset) if page.more else None
    return Result(
        [events.event(event) for event in page.events],
        next_cursor=next_cursor,
        limit=request.limit,
        extra={"epoch": call.services.epoch_of(f"thread:{request.thread_id}"), "offset": page.head},
    )
