"""Message encryption for Web Push (RFC 8291), in the content coding aes128gcm (RFC 8188): one record."""

import os
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

POINT_BYTES: Final = 65
"""A point of P-256, uncompressed."""
AUTH_BYTES: Final = 16
SALT_BYTES: Final = 16
RECORD_BYTES: Final = 4096
_LAST: Final = b"\x02"
"""Delimits the last record from its padding, of which there is none."""


def browser_key(p256dh: bytes) -> ec.EllipticCurvePublicKey:
    """Raises `ValueError` for what is no point of the curve."""
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), p256dh)


def point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def encrypt(
    payload: bytes, p256dh: bytes, auth: bytes,
    *, salt: bytes | None = None, own_key: ec.EllipticCurvePrivateKey | None = None,
) -> bytes:  # fmt: skip
    """The body of a request to a push service. `salt` and `own_key` are new for each message; tests give them."""
    salt = salt or os.urandom(SALT_BYTES)
    own_key = own_key or ec.generate_private_key(ec.SECP256R1())
    own = point(own_key.public_key())
    shared = own_key.exchange(ec.ECDH(), browser_key(p256dh))
    secret = _derived(auth, shared, b"WebPush: info\x00" + p256dh + own, 32)
    key = _derived(salt, secret, b"Content-Encoding: aes128gcm\x00", 16)
    nonce = _derived(salt, secret, b"Content-Encoding: nonce\x00", 12)
    header = salt + RECORD_BYTES.to_bytes(4, "big") + len(own).to_bytes(1, "big") + own
    return header + AESGCM(key).encrypt(nonce, payload + _LAST, None)


def _derived(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(secret)
