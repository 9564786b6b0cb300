"""HS256 (RFC 7518, 3.2): signing and verifying by a shared secret, with the standard library's HMAC alone.

A secret of fewer than 32 bytes is taken here: whether it is long enough is judged where it is configured.
"""

import binascii
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jwt import InvalidKeyError
from jwt.algorithms import HMACAlgorithm

_STANDARD = bytes.maketrans(b"-_", b"+/")
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_LAST_LETTERS = {2: frozenset("AQgw"), 3: frozenset("AEIMQUYcgkosw048")}
"""Of a text whose length leaves so many letters: those in which no bit is set that means nothing."""


@dataclass(frozen=True, slots=True)
class SharedSecret:
    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Raises `ValueError` for what is a public key, a certificate or a JWK: it is no secret."""
        try:
            HMACAlgorithm(HMACAlgorithm.SHA256).prepare_key(self.key)
        except InvalidKeyError as error:
            raise ValueError(f"the secret is no secret: {error}") from None

    def verify(self, text: bytes, signature: bytes) -> bool:
        return hmac.compare_digest(hmac.digest(self.key, text, "sha256"), signature)


def signed(secret: bytes, claims: Mapping[str, Any], header: Mapping[str, Any] | None = None) -> str:
    """A token: header, claims, signature."""
    parts = ({"alg": "HS256", "typ": "JWT", **(header or {})}, claims)
    text = ".".join(encoded(json.dumps(part, separators=(",", ":")).encode()) for part in parts)
    return f"{text}.{encoded(hmac.digest(secret, text.encode(), 'sha256'))}"


def encoded(data: bytes) -> str:
    """In base64url without padding."""
    return binascii.b2a_base64(data, newline=False).rstrip(b"=").translate(_URL_SAFE).decode()


def decoded(part: str) -> bytes:
    """Of base64url letters. Raises `ValueError` for bytes spelled in another way than the one: a token that was revoked
    by its text must not come back in other letters."""
    left = len(part) % 4
    if left == 1 or (left and part[-1] not in _LAST_LETTERS[left]):
        raise ValueError("bits that mean nothing are set")
    return binascii.a2b_base64(part.encode().translate(_STANDARD) + b"=" * (-left % 4))
