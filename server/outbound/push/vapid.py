"""By what push services know this server: a key pair, and tokens that it signs (VAPID, RFC 8292)."""

import base64
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from actors import limits
from server.auth.secret_file import load_or_create
from server.outbound.push.encryption import point

KEY_FILE = "push-key"
"""In the data folder. With another key no subscription is good any more, and browsers have to subscribe again."""


def load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """The key in this file, made where there is none. Raises `ValueError` with a sentence, and `OSError`."""
    text, _ = load_or_create(path, _new_key)
    try:
        key = load_pem_private_key(text, None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError(f"{path} must hold a private key of P-256 as PEM; delete it for a new one, or restore it")
    return key


def _new_key() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


class Vapid:
    def __init__(
        self, key: ec.EllipticCurvePrivateKey, contact: str | None, clock: Callable[[], float] = time.time
    ) -> None:  # fmt: skip
        """`contact`: where the operator of a push service finds ours, a `mailto:` or `https:` URL."""
        self._key = key
        self._contact = contact
        self._clock = clock
        self.public_key = base64.urlsafe_b64encode(point(key.public_key())).rstrip(b"=").decode()
        """As a browser wants it: the `applicationServerKey` of `subscribe`."""
        self._tokens: OrderedDict[str, tuple[float, str]] = OrderedDict()

    def authorization(self, endpoint: str) -> str:
        """The header for a request to an endpoint. A token is good for all endpoints of one origin."""
        parts = urlsplit(endpoint)
        origin, now = f"{parts.scheme}://{parts.netloc}", self._clock()
        made_at, token = self._tokens.get(origin, (0.0, ""))
        if not 0 <= now - made_at < limits.PUSH_TOKEN_REUSED_SECONDS:  # also where the clock was ahead then
            token = self._token(origin, now)
            self._tokens[origin] = now, token
            if len(self._tokens) > limits.PUSH_TOKENS:
                self._tokens.popitem(last=False)
        return f"vapid t={token}, k={self.public_key}"

    def _token(self, origin: str, now: float) -> str:
        claims = {"aud": origin, "exp": int(now) + limits.PUSH_TOKEN_SECONDS}
        if self._contact is not None:
            claims["sub"] = self._contact
        return jwt.encode(claims, self._key, algorithm="ES256")
