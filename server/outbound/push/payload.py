"""What a push says: the notification as in the feed, in the bytes that a push service takes."""

import base64
import hashlib
from typing import Final, Literal

import orjson

from actors import limits
from actors.resources.notifications import Notification, NotificationKind
from actors.resources.push import Pushed
from server.api import render

Urgency = Literal["low", "normal", "high"]
URGENCY: Final[dict[NotificationKind, Urgency]] = {
    "acknowledgement": "high", "mention": "high", "reply": "high", "added": "normal", "reaction": "low",
    "reminder": "high",
}  # fmt: skip
"""Whether a device on battery wakes for it (RFC 8030 5.3)."""


def payload(pushed: Pushed) -> bytes:
    """`{type, data, unread}`; what makes it too long is left out: the picture of the actor, then the excerpt."""
    shown = render.notification(pushed.notification)
    body = {"type": "notification.created", "data": shown, "unread": pushed.unread}
    text = orjson.dumps(body)
    if len(text) > limits.PUSH_PAYLOAD_BYTES:
        shown["actor"]["avatar_url"] = None
        text = orjson.dumps(body)
    if len(text) > limits.PUSH_PAYLOAD_BYTES:
        shown["excerpt"] = ""
        text = orjson.dumps(body)
    return text


def topic(notification: Notification) -> str:
    """What is replaced by newer news while a device is offline: of one kind, in one thread; a
    reminder is replaced by none. A push service sees it, so
    it says nothing. 32 characters, as many as are allowed (RFC 8030 5.4)."""
    about = f"{notification.schedule_id or notification.thread_id} {notification.kind}".encode()
    return base64.urlsafe_b64encode(hashlib.sha256(about).digest()[:24]).decode()
