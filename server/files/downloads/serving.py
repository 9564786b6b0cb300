"""How a file's content is labelled when it goes out: its type, whether a browser may show it, what it may do. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from server.files.downloads.conditions import http_date
from server.files.names import content_disposition
from server.files.types.media_types import Sniffed
from server.files.types.type_rules import Serving, serving
from server.http.headers.caching import ASKED_FOR, ASKED_FOR_BY_ALL, BY_IDENTITY

SANDBOX: Final = "sandbox; default-src 'none'"
"""Shown as a page it has no origin, runs nothing and loads nothing."""
_BY_READER: Final = {"Cache-Control": ASKED_FOR, "Vary": BY_IDENTITY}
_BY_SIGNATURE: Final = {"Cache-Control": ASKED_FOR_BY_ALL}


@dataclass(frozen=True, slots=True)
class Labels:
    name: str
    media_type: str
    digest: str
    modified: int
    """Milliseconds since 1970."""
    wants_inline: bool | None
    """None: as the type is."""
    is_signed: bool
    is_trusted: bool = True
    """The content has one reading, which its name does not contradict."""
    charset: str | None = None
    """Of text."""

    @property
    def _serving(self) -> Serving:
        return serving(Sniffed(self.media_type, trusted=self.is_trusted, charset=self.charset))

    @property
    def content_type(self) -> str:
        return self._serving.content_type

    @property
    def disposition(self) -> str:
        return content_disposition(self.name, inline=self._serving.inline and self.wants_inline is not False)

    def headers(self) -> Mapping[str, str]:
        return {
            "Content-Disposition": self.disposition,
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": SANDBOX,
            "Cross-Origin-Resource-Policy": "cross-origin" if self.is_signed else "same-origin",
            **(_BY_SIGNATURE if self.is_signed else _BY_READER),
            "ETag": f'"{self.digest}"',
            "Last-Modified": http_date(self.modified),
            "Accept-Ranges": "bytes",
        }
