"""tus 1.0.0, the protocol of uploads that go on after a broken line (https://tus.io/protocols/resumable-upload). Pure.

What its headers say and what ours say; `tus_handlers` moves the bytes.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from actors import limits
from actors.errors import Conflict, Malformed, TooLarge, UnsupportedMedia, UnsupportedProtocol, ValidationFailed
from server.files.downloads.conditions import http_date

VERSION: Final = "1.0.0"
EXTENSIONS: Final = "creation,creation-defer-length,creation-with-upload,checksum,expiration,termination"
ALGORITHMS: Final = ("sha1", "sha256", "md5")
"""Against damage on the way, not against attackers: sha1 is what the protocol demands, and what clients send."""
PIECE: Final = "application/offset+octet-stream"
_KNOWN: Final = ("thread_id", "file_id", "metadata")


@dataclass(frozen=True, slots=True)
class Creation:
    """What the creation of an upload asks for. What else its metadata says is the client's own."""

    length: int | None
    """None: it is said later."""
    name: str
    media_type: str | None
    thread_id: str | None
    file_id: str | None
    """Whose new version it becomes."""
    metadata: str | None
    """JSON."""


@dataclass(frozen=True, slots=True)
class Checksum:
    algorithm: str
    digest: bytes

    def new(self) -> "hashlib._Hash":
        return hashlib.new(self.algorithm, usedforsecurity=False)


def must_be_spoken(headers: Mapping[str, str]) -> None:
    """Raises `UnsupportedProtocol` for another version of tus, or none."""
    if (given := headers.get("Tus-Resumable")) != VERSION:
        came = "no such header" if given is None else given[:40]
        raise UnsupportedProtocol(f"Expected `Tus-Resumable: {VERSION}`, got {came}.", headers={"Tus-Version": VERSION})


def creation_of(headers: Mapping[str, str], most: int) -> Creation:
    """Raises `ValidationFailed` and `TooLarge`."""
    if "Upload-Concat" in headers:  # without the extension each part would become a file
        raise ValidationFailed({"Upload-Concat": ["Concatenation is not supported; send a file as one upload."]})
    length = length_of(headers, most)
    given = metadata_of(headers.get("Upload-Metadata", ""))
    name = given.get("filename") or given.get("name")
    if not name and "file_id" not in given:
        raise ValidationFailed({"Upload-Metadata": ["`filename` is required: the name of the file, in Base64."]})
    known = {key: given.get(key) or None for key in _KNOWN}
    return Creation(length, name or "", given.get("filetype") or given.get("type") or None, **known)


def length_of(headers: Mapping[str, str], most: int) -> int | None:
    """Bytes in all; None where they are not known yet."""
    deferred = headers.get("Upload-Defer-Length")
    if deferred is None:
        return _length(headers, most)
    if deferred != "1" or "Upload-Length" in headers:
        raise ValidationFailed({"Upload-Defer-Length": ["expected 1, and no Upload-Length beside it."]})
    return None


def late_length_of(headers: Mapping[str, str], known: int | None, there: int, most: int) -> int | None:
    """What a piece says of the length that its upload did not know; None where it says nothing new."""
    if "Upload-Length" not in headers:
        return None
    length = _length(headers, most)
    if known is not None and length != known:
        raise ValidationFailed({"Upload-Length": [f"The upload has {known} bytes, which does not change."]})
    if length < there:
        raise ValidationFailed({"Upload-Length": [f"{there} bytes are there already."]})
    return length if known is None else None


def _length(headers: Mapping[str, str], most: int) -> int:
    length = number_of(headers, "Upload-Length")
    if length > most:
        raise TooLarge("A file", most, length)
    return length


def metadata_of(header: str) -> dict[str, str]:
    """Pairs of a key and a value in Base64, joined by commas. Raises `ValidationFailed`."""
    found: dict[str, str] = {}
    for pair in filter(None, map(str.strip, header.split(","))):
        key, _, value = pair.partition(" ")
        if key in found or not key.isascii():
            raise ValidationFailed({"Upload-Metadata": [f"The key {key[:40]!r} is given twice, or is not ASCII."]})
        try:
            found[key] = base64.b64decode(value.strip(), validate=True).decode()
        except ValueError:
            raise ValidationFailed(
                {"Upload-Metadata": [f"The value of {key[:40]!r} is not UTF-8 in Base64."]}
            ) from None
    return found


def metadata_header(name: str, media_type: str | None) -> str:
    """For HEAD."""
    pairs = {"filename": name, **({"filetype": media_type} if media_type else {})}
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs.items())


def number_of(headers: Mapping[str, str], name: str) -> int:
    """Raises `ValidationFailed`."""
    given = headers.get(name, "")
    if not (given.isascii() and given.isdigit() and len(given) <= limits.UPLOAD_LENGTH_DIGITS):
        raise ValidationFailed({name: [f"expected a number of bytes; got {given[:40]!r}."]})
    return int(given)


def must_be_piece(content_type: str) -> None:
    if content_type != PIECE:
        raise UnsupportedMedia(f"Expected {PIECE}, got {content_type[:100]}.")


def checksum_of(headers: Mapping[str, str]) -> Checksum | None:
    """Raises `Malformed` for an algorithm that is not offered, or a digest that is none."""
    given = headers.get("Upload-Checksum")
    if given is None:
        return None
    algorithm, _, encoded = given.strip().partition(" ")
    if algorithm not in ALGORITHMS:
        raise Malformed(f"Upload-Checksum may use {', '.join(ALGORITHMS)}; got {algorithm[:40]!r}.")
    try:
        digest = base64.b64decode(encoded.strip(), validate=True)
    except binascii.Error:
        raise Malformed("Upload-Checksum needs the digest in Base64.") from None
    return Checksum(algorithm, digest)


def must_continue(offset: int, there: int, length: int | None) -> None:
    """Raises `Conflict` where a piece does not begin where the upload ends, or there is nothing left of it."""
    if offset != there:
        raise Conflict(
            f"Upload-Offset is {offset}; {there} bytes are there. Ask by HEAD, then go on from there.",
            code="offset_mismatch", headers={"Upload-Offset": str(there)},
        )  # fmt: skip
    if length is not None and offset > length:
        raise Conflict(f"The upload has {length} bytes, all of which are there.", code="offset_mismatch")


def length_headers(length: int | None) -> dict[str, str]:
    """For HEAD."""
    return {"Upload-Defer-Length": "1"} if length is None else {"Upload-Length": str(length)}


def offered(most: int) -> dict[str, str]:
    """The answer to OPTIONS."""
    return {
        "Tus-Resumable": VERSION, "Tus-Version": VERSION, "Tus-Extension": EXTENSIONS, "Tus-Max-Size": str(most),
        "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
    }  # fmt: skip


def progress(offset: int, expires_at: int) -> dict[str, str]:
    """What every answer about an upload says; `expires_at` in milliseconds."""
    return {"Tus-Resumable": VERSION, "Upload-Offset": str(offset), "Upload-Expires": http_date(expires_at)}
