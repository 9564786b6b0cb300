"""Forms with files (multipart/form-data, RFC 7578) as browsers, curl and HTTP libraries send them. Pure.

Fed with the body as it comes, whatever its pieces; what it keeps of it is bounded.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from actors import limits
from actors.errors import Malformed, TooLarge, UnsupportedMedia


@dataclass(frozen=True, slots=True)
class PartBegan:
    name: str
    filename: str | None
    """None: a field. As it came: it may be a path."""
    media_type: str | None


@dataclass(frozen=True, slots=True)
class PartBytes:
    data: bytes


@dataclass(frozen=True, slots=True)
class PartEnded:
    pass


FormEvent = PartBegan | PartBytes | PartEnded

_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")
_PARAMETER = re.compile(r';\s*([\w*-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))', re.DOTALL)
_ESCAPED = re.compile(r'\\(["\\])')


def boundary_of(content_type: str) -> bytes:
    """Of a `Content-Type`. Raises `UnsupportedMedia` where it is no form, `Malformed` where its boundary is none."""
    media_type, _, rest = content_type.partition(";")
    if media_type.strip().lower() != "multipart/form-data":
        raise UnsupportedMedia(f"Expected multipart/form-data, got {media_type.strip()[:100]}.")
    boundary = _parameters(f";{rest}").get("boundary", "")
    if not _BOUNDARY.fullmatch(boundary):
        raise Malformed("The Content-Type of a form names its boundary: 1 to 70 characters; RFC 2046 says which.")
    return boundary.encode()


class FormParser:
    def __init__(self, boundary: bytes) -> None:
        self._delimiter = b"\r\n--" + boundary
        self._held = b"\r\n"  # the first delimiter may stand at the very beginning
        self._parts = 0
        self._state = "preamble"

    def feed(self, data: bytes) -> Iterator[FormEvent]:
        """Raises `Malformed` and `TooLarge`."""
        self._held += data
        while self._state != "end":
            if self._state == "head":
                began = self._head()
                if began is None:
                    return
                yield began
            elif self._state == "delimiter":
                if not self._after_delimiter():
                    return
            else:
                content, is_whole = self._content()
                if content and self._state == "content":
                    yield PartBytes(content)
                if not is_whole:
                    return
                if self._state == "content":
                    yield PartEnded()
                self._state = "delimiter"
        self._held = b""

    def finish(self) -> None:
        """Raises `Malformed` where the body ended too early."""
        if self._state != "end":
            raise Malformed("The form broke off: expected its closing boundary, got the end of the body.")

    def _content(self) -> tuple[bytes, bool]:
        """What there is before the next delimiter, and whether that is there; what may be its beginning is kept."""
        found = self._held.find(self._delimiter)
        end = found if found >= 0 else max(0, len(self._held) - len(self._delimiter) + 1)
        content, self._held = self._held[:end], self._held[end + (len(self._delimiter) if found >= 0 else 0) :]
        return content, found >= 0

    def _after_delimiter(self) -> bool:
        """Whether what follows the boundary is there: `--`, or the end of its line."""
        if self._held.startswith(b"--"):
            self._state = "end"
            return True
        line, end, rest = self._held.partition(b"\r\n")
        if not end and len(self._held) <= limits.FORM_HEAD_BYTES and self._held.strip(b" \t\r") in (b"", b"-"):
            return False
        if not end or line.strip(b" \t"):
            raise Malformed("Expected a new line or `--` after a boundary of the form.")
        self._parts += 1
        if self._parts > limits.FORM_PARTS:
            raise TooLarge("A form", limits.FORM_PARTS, None, "parts")
        self._held, self._state = b"\r\n" + rest, "head"  # a head without lines ends with its first
        return True

    def _head(self) -> PartBegan | None:
        head, end, rest = self._held.partition(b"\r\n\r\n")
        if len(head) > limits.FORM_HEAD_BYTES:
            raise TooLarge("The headers of a part of a form", limits.FORM_HEAD_BYTES, None)
        if not end:
            return None
        self._held, self._state = rest, "content"
        return _part(head)


def _part(head: bytes) -> PartBegan:
    headers: dict[str, str] = {}
    for line in head.decode(errors="replace").split("\r\n"):
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    disposition, _, rest = headers.get("content-disposition", "").partition(";")
    parameters = _parameters(f";{rest}")
    if disposition.strip().lower() != "form-data" or "name" not in parameters:
        raise Malformed("Each part of a form needs `Content-Disposition: form-data` with a name.")
    return PartBegan(
        _unescaped(parameters["name"]), _filename(parameters), headers.get("content-type", "").strip() or None
    )


def _parameters(text: str) -> dict[str, str]:
    return {
        match[1].lower(): match[3] if match[2] is None else _ESCAPED.sub(r"\1", match[2])
        for match in _PARAMETER.finditer(text)
    }


def _filename(parameters: dict[str, str]) -> str | None:
    if "filename*" in parameters:  # RFC 7578 does not want it; some libraries send it for names that are not ASCII
        charset, _, rest = parameters["filename*"].partition("'")
        if charset.lower() == "utf-8":
            return unquote(rest.partition("'")[2], errors="replace")
    return _unescaped(parameters["filename"]) if "filename" in parameters else None


def _unescaped(text: str) -> str:
    """Browsers escape these three in names, and nothing else."""
    return text.replace("%0D", "\r").replace("%0A", "\n").replace("%22", '"')
