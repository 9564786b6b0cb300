"""A browser of the tests: it has keys of its own, and decrypts what its push service got."""

import base64
import os
from dataclasses import dataclass, field
from typing import Any

import http_ece
import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.server.outbound.webhooks.receiver import Received
from tests.serving import Client

SUBSCRIPTIONS = "/api/v1/push/subscriptions"


def base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@dataclass
class Browser:
    endpoint: str
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    auth: bytes = field(default_factory=lambda: os.urandom(16))

    def json(self) -> dict[str, Any]:
        """As `PushSubscription.toJSON()` of a browser."""
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return {"endpoint": self.endpoint, "keys": {"p256dh": base64url(point), "auth": base64url(self.auth)}}

    async def subscribe(self, client: Client, **more: Any) -> Any:
        made = await client.post(SUBSCRIPTIONS, **self.json(), **more)
        assert made.status == 201, made.raw
        return made.data

    def read(self, received: Received) -> Any:
        """By an implementation of the encryption that is not ours."""
        clear = http_ece.decrypt(received.body, private_key=self.key, auth_secret=self.auth, version="aes128gcm")
        return orjson.loads(clear)


def claims(received: Received) -> dict[str, Any]:
    """Of the token, verified as a push service does."""
    scheme, _, rest = received.headers["authorization"].partition(" ")
    assert scheme == "vapid"
    parts = dict(part.strip().split("=", 1) for part in rest.split(","))
    point = base64.urlsafe_b64decode(parts["k"] + "=")
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    found: dict[str, Any] = jwt.decode(parts["t"], key, algorithms=["ES256"], options={"verify_aud": False})
    return found
