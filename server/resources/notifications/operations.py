"""Your notifications, and whether they were read."""

from actors.resources.notifications import (
    CountUnreadNotifications,
    DismissNotification,
    GetNotification,
    ListNotifications,
    ReadAllNotifications,
    ReadNotification,
)
from server.api import render
from server.api.common_views import DeletedView
from server.api.cursors import integer
from server.api.fields import ById, Nothing
from server.api.registry import Call, Operations, Result
from server.resources.notifications.views import CountView, ListNotificationsRequest, NotificationView

operations = Operations("notifications")


@operations("GET", "/notifications", response=NotificationView, paged=True)
async def list_notifications(call: Call, request: ListNotificationsRequest) -> Result:
    """Your notifications, newest first."""
    page = await call.services.ask(
        ListNotifications(call.identity, limit=request.limit, before=integer(request.cursor), unread=request.unread)
    )
    shown = [render.notification(notification) for notification in page.items]
    return Result(shown, next_cursor=page.next_cursor, limit=request.limit)


@operations("GET", "/notifications/unread-count", response=CountView)
async def count_notifications(call: Call, request: Nothing) -> Result:
    """Number of your unread notifications."""
    return Result({"count": await call.services.ask(CountUnreadNotifications(call.identity))})


@operations("GET", "/notifications/{id}", response=NotificationView)
async def get_notification(call: Call, request: ById) -> Result:
    """One of your notifications."""
    return Result(render.notification(await call.services.ask(GetNotification(call.identity, request.id))))


@operations("POST", "/notifications/{id}/read", response=NotificationView)
async def read_notification(call: Call, request: ById) -> Result:
    """Mark a notification as read. Reading a thread marks those about its messages, too."""
    command = ReadNotification(identity=call.identity, once=call.once, notification_id=request.id)
    await call.services.write(command)
    return await get_notification(call, request)


@operations("POST", "/notifications/read-all", response=CountView)
async def read_all_notifications(call: Call, request: Nothing) -> Result:
    """Mark all notifications as read; returns how many were unread."""
    done = await call.services.write(ReadAllNotifications(identity=call.identity, once=call.once))
    return Result({"count": done.result})


@operations("DELETE", "/notifications/{id}", response=DeletedView)
async def dismiss_notification(call: Call, request: ById) -> Result:
    """Remove a notification from your feed."""
    await call.services.write(DismissNotification(identity=call.identity, notification_id=request.id))
    return Result({"id": request.id, "deleted": True})
