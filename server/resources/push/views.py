"""Subscriptions to Web Push on the wire. The keys of a browser are never shown again."""

import base64
import binascii
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from actors import limits
from actors.resources.push import PushSubscription
from actors.resources.webhooks import AttemptError
from server.api.fields import Id, Name, NoNul, Request, Time, View
from server.api.render import Json, iso_time, maybe_time
from server.outbound.push.encryption import AUTH_BYTES, POINT_BYTES, browser_key


def decoded(text: str) -> bytes:
    """Base64url, with or without padding. Raises `ValueError`."""
    try:
        return base64.urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))
    except binascii.Error:
        raise ValueError("expected base64url") from None


def _is_point(text: str) -> str:
    try:
        browser_key(decoded(text))
    except ValueError:
        raise ValueError(f"expected a public key of P-256: {POINT_BYTES} bytes, uncompressed, as base64url") from None
    return text


def _is_secret(text: str) -> str:
    if len(decoded(text)) != AUTH_BYTES:
        raise ValueError(f"expected {AUTH_BYTES} bytes as base64url")
    return text


class BrowserKeys(Request):
    """As `PushSubscription.toJSON()` of a browser has them."""

    p256dh: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{87}=?$"), AfterValidator(_is_point)]
    auth: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{22}(==)?$"), AfterValidator(_is_secret)]


class SubscribeRequest(Request):
    endpoint: Annotated[
        str, StringConstraints(max_length=limits.PUSH_ENDPOINT_CHARS, pattern=r"^https?://[!-~]+$"), NoNul
    ] = Field(description="Address at the push service: https.")
    keys: BrowserKeys
    name: Name = Field(default="Browser", description="By which you know it in the list.")


class PushKeyView(View):
    key: str = Field(description="Base64url; the `applicationServerKey` of `pushManager.subscribe`.")


class PushSubscriptionView(View):
    id: Id
    name: str
    service: str = Field(description="Host of the push service.")
    created_at: Time
    sent_at: Time | None = Field(description="Of the newest notification that the push service has taken.")
    failing_since: Time | None = Field(description="First failure since then.")


class PushTestView(View):
    status: int | None = Field(description="HTTP status of the push service; null if there was no answer.")
    error: AttemptError | None = Field(description="Null: the push service has taken it.")


def subscription_view(subscription: PushSubscription) -> Json:
    return {
        "id": subscription.id,
        "name": subscription.name,
        "service": subscription.endpoint.split("/")[2],
        "created_at": iso_time(subscription.created_at),
        "sent_at": maybe_time(subscription.sent_at),
        "failing_since": maybe_time(subscription.failing_since),
    }
