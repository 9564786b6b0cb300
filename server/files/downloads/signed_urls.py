"""Signed URLs: what one file's content can be had by, for a while, without a token. Pure.

A URL is signed as a whole: its path and all of its parameters, so that none can be changed, added or left out. Whose
rights count stands in it (`user`), and they are asked when it is used: who leaves a thread takes their URLs with them.

    /api/v1/files/{id}/content?disposition=inline&expires=1796000000&key=4f2a91c0&user=c…&version=2&signature=…
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from actors.errors import Forbidden

SIGNED_BY = ("user", "by", "expires", "key", "signature")
"""Parameters of every signed URL; `by` of those that an API key made."""


@dataclass(frozen=True, slots=True)
class UrlKey:
    id: str
    secret: bytes


def url_key(secret: bytes) -> UrlKey:
    """Of a secret that was made for this."""
    return UrlKey(
        hmac.digest(secret, b"signed URLs: id", "sha256").hex()[:8], hmac.digest(secret, b"signed URLs", "sha256")
    )


@dataclass(frozen=True, slots=True)
class SignedUrl:
    """A URL whose signature is good and whose time has not come."""

    path: str
    user_id: str
    """Whose rights count."""
    expires_at: int
    """Seconds since 1970."""
    api_key_id: str = ""
    """Of the API key that made it, if one did: it ends with that key, and has no rights that the key had not."""


@dataclass(frozen=True, slots=True)
class UrlKeys:
    """The first signs; all are accepted: for as long as URLs live, the one before stays after a new one was made."""

    keys: tuple[UrlKey, ...]

    def sign(
        self, method: str, path: str, user_id: str, expires_at: int, api_key_id: str = "", **parameters: str
    ) -> str:  # fmt: skip
        """Answers path and query. `path` as it is served, not escaped; `parameters` are those of the operation."""
        assert parameters.keys().isdisjoint(SIGNED_BY)
        key = self.keys[0]
        made = {**parameters, "user": user_id, "expires": str(expires_at), "key": key.id}
        query = dict(sorted((made | ({"by": api_key_id} if api_key_id else {})).items()))
        return f"{quote(path)}?{urlencode({**query, 'signature': _signature(key, method, path, query)})}"

    def verify(self, method: str, path: str, query: Mapping[str, str], now: float) -> SignedUrl:
        """Raises `Forbidden`."""
        given = dict(query)
        signature = given.pop("signature", "")
        key = next((key for key in self.keys if key.id == given.get("key")), None)
        # Without such a key the work is the same, and its result is none.
        expected = _signature(key or _NO_KEY, method, path, dict(sorted(given.items())))
        if not hmac.compare_digest(expected.encode(), signature.encode()) or key is None:
            raise Forbidden(
                "The signature of this URL is not valid: it was changed, or the key that it was made with is gone.",
                code="signature_invalid",
            )
        expires_at = int(given["expires"])
        if now >= expires_at:
            raise Forbidden(
                f"This signed URL was valid until {expires_at} (seconds since 1970); get a new one.",
                code="signature_expired",
            )
        return SignedUrl(path, given["user"], expires_at, given.get("by", ""))


_NO_KEY = UrlKey("", bytes(32))


def is_signed(query: Mapping[str, str]) -> bool:
    return "signature" in query


def _signature(key: UrlKey, method: str, path: str, query: Mapping[str, str]) -> str:
    """HEAD may do what GET may."""
    text = "\n".join([_VERBS.get(method, method), path, urlencode(query)])
    digest = hmac.digest(key.secret, text.encode(errors="replace"), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


_VERBS = {"HEAD": "GET"}
