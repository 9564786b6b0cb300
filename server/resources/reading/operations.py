"""Read markers and unread counts, the readers of a message, and your own log."""

from actors.resources.members import ListReaders
from actors.resources.notifications import MarkUnread
from actors.resources.user_events import ReadUserLog
from actors.users.unread import CountUnread
from server.api import events, render
from server.api.cursors import integer
from server.api.fields import Nothing
from server.api.registry import Call, Operations, Result
from server.resources.notifications.views import (
    ListOwnLogRequest,
    ListReadersRequest,
    MarkUnreadRequest,
    UnreadView,
    UserEventView,
)
from server.resources.threads.views import MemberView

operations = Operations("reading")


@operations("GET", "/unread", response=UnreadView)
async def get_unread(call: Call, request: Nothing) -> Result:
    """What is unread: the number of threads, messages and mentions of you."""
    counts = await call.services.ask(CountUnread(call.identity.user.key))
    return Result(render.unread(counts.unread()))


@operations("POST", "/threads/{thread_id}/unread", response=MemberView)
async def mark_unread(call: Call, request: MarkUnreadRequest) -> Result:
    """Move your read marker back, so that messages from `offset` on are unread.

    No other operation moves it back. It moves back by at most 10,000 messages. Your own messages are never unread.
    """
    command = MarkUnread(identity=call.identity, once=call.once, thread_id=request.thread_id, offset=request.offset)
    done = await call.services.directory.ask(command)
    return Result(render.member(done.result))


@operations("GET", "/threads/{thread_id}/readers", response=MemberView, paged=True)
async def list_readers(call: Call, request: ListReadersRequest) -> Result:
    """Members who have read a message, except those who hide their read markers."""
    page = await call.services.ask(
        ListReaders(
            call.identity, request.thread_id, request.message_id, limit=request.limit, after=integer(request.cursor)
        )
    )
    shown = [render.member(member) for member in page.items]
    return Result(shown, next_cursor=page.next_cursor, limit=request.limit)


@operations("GET", "/users/me/log", response=UserEventView, paged=True)
async def list_own_events(call: Call, request: ListOwnLogRequest) -> Result:
    """Events of your channel `user:<id>` after an offset, in order.

    `metadata` has the log's `epoch`, the `offset` of its head, and whether the page `is_whole`: entries are removed
    after a month, and beyond the newest thousand.
    """
    page = await call.services.ask(ReadUserLog(call.identity.user.key, request.after, limit=request.limit))
    next_cursor = str(page.events[-1].offset) if page.more else None
    epoch = call.services.epoch_of(f"user:{call.identity.user.id}")
    return Result(
        [events.user_event(event) for event in page.events],
        next_cursor=next_cursor,
        limit=request.limit,
        extra={
            "epoch": epoch,
            "offset": page.head,
            "is_whole": page.is_whole,
        },
    )
