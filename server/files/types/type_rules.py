"""Which types may be uploaded, and how each may be served."""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from server.files.types.media_types import PDF, Sniffed
from server.files.types.type_names import BINARY, TEXT, is_textual, type_of_name

INLINE_TYPES = frozenset(
    {"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"}
    | {"audio/mpeg", "audio/mp4", "audio/ogg", "audio/wav", "audio/webm", "video/mp4", "video/webm", "video/ogg"}
    | {TEXT, PDF}
)
"""What a browser may show by itself: types that run nothing. All else is downloaded."""
SERVED_AS_TEXT = frozenset({"text/csv", "text/tab-separated-values", "text/markdown", "application/json"})
"""Shown as plain text."""
NEVER_AS_THEMSELVES = frozenset(
    {"text/html", "image/svg+xml", "application/xml", "text/javascript", "text/css", "text/xml", "application/wasm"}
    | {"text/cache-manifest", "application/java-archive", "application/x-shockwave-flash", "text/jsx", "text/vtt"}
)
"""Types that do something in a page of ours that names them: served as bytes."""
DEFAULT_BLOCKED: tuple[str, ...] = ()
"""Nothing: teams exchange programs and scripts, too. Programs that pretend to be something else are refused always."""


@dataclass(frozen=True, slots=True)
class Serving:
    content_type: str
    inline: bool
    """Whether it may be shown; otherwise it is an attachment, whatever was asked for."""


@dataclass(frozen=True, slots=True)
class TypeLists:
    """Patterns such as `image/*`. A file must match one of `allowed`, and none of its readings one of `blocked`."""

    allowed: tuple[str, ...] = ("*/*",)
    blocked: tuple[str, ...] = DEFAULT_BLOCKED

    def refusal(self, sniffed: Sniffed, name: str) -> str | None:
        """Why the file may not be stored, in a sentence for its uploader; None where it may."""
        disguised = _disguise(sniffed, name)
        if disguised:
            return f"A program may not be named as {disguised}: its content is {sniffed.media_type}."
        for reading in sniffed.readings:
            if _matches(reading, self.blocked):
                return f"Files of type {reading} are not accepted here."
            if not _matches(reading, self.allowed):
                return f"Files of type {reading} are not accepted here; expected {', '.join(self.allowed)}."
        return None


def parse_patterns(text: str) -> tuple[str, ...]:
    """`image/*, application/pdf` → patterns. Raises `ValueError` for one that is no media type."""
    patterns = tuple(part.strip().lower() for part in text.split(",") if part.strip())
    for pattern in patterns:
        kind, slash, rest = pattern.partition("/")
        if not (kind and slash and rest and "/" not in rest) or any(character.isspace() for character in pattern):
            raise ValueError(f"expected media types such as image/*, got {pattern!r}")
    return patterns


def serving(sniffed: Sniffed) -> Serving:
    """How the bytes go out. `nosniff` and a sandboxing CSP belong to every answer; this decides the rest."""
    kind = sniffed.media_type
    if not sniffed.trusted or kind in NEVER_AS_THEMSELVES or sniffed.is_executable:
        return Serving(BINARY, inline=False)
    if kind == TEXT or kind in SERVED_AS_TEXT or (is_textual(kind) and kind.startswith("text/x-")):
        return Serving(f"{TEXT}; charset={sniffed.charset or 'utf-8'}", inline=True)
    return Serving(kind, inline=kind in INLINE_TYPES)


def _disguise(sniffed: Sniffed, name: str) -> str | None:
    """What the name pretends, where the content is a program."""
    said = type_of_name(name)
    harmless = said.startswith(("image/", "audio/", "video/", "text/")) or said in {PDF, "application/json"}
    is_code = sniffed.media_type.startswith("text/") and said.startswith("text/")
    return said if sniffed.is_executable and harmless and not is_code else None


def _matches(media_type: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(media_type, pattern) for pattern in patterns)
