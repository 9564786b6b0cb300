"""Secrets that are made once and shown once: refresh tokens, sign-in links (also in mails) and API keys. Only their
hashes are kept."""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field

from actors.resources.api_keys import API_KEY_PREFIX

REFRESH_PREFIX = "xpr_"
LINK_PREFIX = "xpl_"
LETTER_PREFIX = "xpm_"
API_KEY_PREFIX_CHARS = 12
"""Of an API key: shown in lists, to tell keys apart."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret of 256 random bits, and the hash that is stored."""

    text: str = field(repr=False)
    hash: bytes


def new_secret(prefix: str) -> Secret:
    text = prefix + secrets.token_urlsafe(32)
    return Secret(text, hash_of(text))


def next_refresh(key: bytes, given: str) -> Secret:
    """The refresh token that follows one: the same for each use, also after a restart, and known to nobody
    without the server's key. So two tabs that bring one token at once get one answer, and no token has to be kept."""
    derived = hmac.digest(hmac.digest(key, b"refresh tokens", "sha256"), given.encode(errors="replace"), "sha256")
    text = REFRESH_PREFIX + base64.urlsafe_b64encode(derived).rstrip(b"=").decode()
    return Secret(text, hash_of(text))


def new_api_key() -> Secret:
    return new_secret(API_KEY_PREFIX)


def hash_of(text: str) -> bytes:
    """SHA-256 is enough for a secret that cannot be guessed."""
    return hashlib.sha256(text.encode(errors="replace")).digest()


def new_letter_secret() -> Secret:
    text = LETTER_PREFIX + secrets.token_urlsafe(32)
    return Secret(text, letter_hash_of(text))


def letter_hash_of(text: str) -> bytes:
    """Of a link in a mail. Another hash than that of a link from an administrator: it signs in by its page alone, and
    sets no password."""
    return hash_of(f"sign-in by mail: {text}")
