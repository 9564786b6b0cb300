"""A document that is served as it is."""

import hashlib
from dataclasses import dataclass
from typing import Final

from server.http.headers.caching import ASKED_FOR_BY_ALL

HTML: Final = "text/html"


@dataclass(frozen=True, slots=True)
class Document:
    body: bytes
    content_type: str
    digest: str
    """Of the body, for its ETag."""
    cache: str


def document(body: bytes | str, content_type: str) -> Document:
    raw = body.encode() if isinstance(body, str) else body
    return Document(raw, content_type, hashlib.blake2b(raw, digest_size=8).hexdigest(), ASKED_FOR_BY_ALL)
