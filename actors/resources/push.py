"""Subscriptions to Web Push: browsers that get notifications while the application is closed (RFC 8030).

A subscription is an address at a push service, and keys of the browser with which notifications are encrypted. It ends
with the session that made it, or when the push service says that it is gone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from actors.commands import Command, Gone, Makes
from actors.queries import IdentityQuery, Query
from actors.resources.notifications import Notification


@dataclass(frozen=True, slots=True)
class PushSubscription:
    key: int
    id: str
    name: str
    endpoint: str
    p256dh: bytes
    """Public key of the browser: an uncompressed point of P-256, 65 bytes."""
    auth: bytes
    """Secret of the browser, 16 bytes."""
    created_at: int
    sent_at: int | None
    """Of the newest notification that the push service has taken."""
    failing_since: int | None
    """Of the first failure since."""


@dataclass(slots=True, kw_only=True)
class Subscribe(Command[PushSubscription]):
    """Add a browser, or renew it: an endpoint has one subscription, of the user who named it last."""

    endpoint: str
    p256dh: bytes
    auth: bytes
    name: str


@dataclass(slots=True, kw_only=True)
class Unsubscribe(Command[Gone]):
    subscription_id: str


@dataclass(frozen=True, slots=True)
class PushTested:
    """What the push service said of a test."""

    status: int | None
    error: str | None


@dataclass(slots=True, kw_only=True)
class KeepPushTest(Command[PushTested]):
    """For its retry, which sends nothing."""

    tested: PushTested


@dataclass(frozen=True, slots=True)
class RecordPush(Makes[None]):
    """What push services have answered: keys of subscriptions."""

    sent: tuple[int, ...] = ()
    failed: tuple[int, ...] = ()
    gone: tuple[int, ...] = ()
    """Those are deleted."""


@dataclass(frozen=True, slots=True)
class ListSubscriptions(IdentityQuery[Sequence[PushSubscription]]):
    """The newest first."""


@dataclass(frozen=True, slots=True)
class GetSubscription(IdentityQuery[PushSubscription]):
    """Raises `NotFound`, also for another user's."""

    subscription_id: str


@dataclass(frozen=True, slots=True)
class Pushed:
    """A notification that waits in the outbox, and to whom it goes."""

    notification: Notification
    subscriptions: tuple[PushSubscription, ...]
    """Without those that have got it."""
    unread: int
    """Notifications of the user."""
    had_some: bool
    """Whether it has reached a device already."""


@dataclass(frozen=True, slots=True)
class LoadPush(Query[Pushed | None]):
    """All of one moment. None: it waits no more, because it was read."""

    outbox_key: int
