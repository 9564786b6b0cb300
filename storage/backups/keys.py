"""`BACKUP_KEY`: the operator's keys, of which each encrypted file gets one of its own."""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM


@dataclass(frozen=True, slots=True)
class SealingKey:
    """256 random bits of the operator's."""

    secret: bytes

    @property
    def id(self) -> bytes:
        """Four bytes that tell keys apart, and nothing of the key."""
        return hashlib.sha256(b"xp backup key id\0" + self.secret).digest()[:4]

    def of_file(self, salt: bytes) -> "AESGCM":
        """The cipher of one file. Its library takes a while to load: commands that need none of it start without."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        return AESGCM(HKDF(SHA256(), 32, salt, b"xp backup file").derive(self.secret))

    def name_of(self, digest: str) -> str:
        """Of a sealed blob: who has no key cannot ask whether a known file is among them."""
        return hmac.new(self.secret, f"xp blob name\0{digest}".encode(), "sha256").hexdigest()

    def __repr__(self) -> str:
        return f"SealingKey({self.id.hex()})"


def parse_keys(text: str) -> tuple[SealingKey, ...]:
    """`BACKUP_KEY`: the first seals, all of them unseal. Raises `ValueError`, which does not quote them."""
    keys = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        try:
            secret = base64.b64decode(part, validate=True)
        except ValueError:
            secret = b""
        if len(secret) != 32 or len(set(secret)) < 8:
            raise ValueError("expected 32 random bytes in base64, as `openssl rand -base64 32` makes them")
        keys.append(SealingKey(secret))
    return tuple(keys)
