"""Signatures of the Standard Webhooks specification: HMAC-SHA256 over id, time and the exact bytes of the body."""

import base64
import hmac
import secrets
from collections.abc import Sequence

from actors.resources.webhooks import SECRET_PREFIX

SECRET_BYTES = 32
"""As much as SHA-256 makes use of; the specification asks for 24 to 64."""


def new_secret() -> str:
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def headers(delivery_id: str, at: int, body: bytes, signed_by: Sequence[str]) -> dict[str, str]:
    """`at`: seconds since 1970. A signature for each secret, so that a receiver may know either of two."""
    signed = b"%s.%d.%s" % (delivery_id.encode(), at, body)
    signatures = (f"v1,{_signature(secret, signed)}" for secret in signed_by)
    return {
        "webhook-id": delivery_id, "webhook-timestamp": str(at), "webhook-signature": " ".join(signatures)
    }  # fmt: skip


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    return base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
