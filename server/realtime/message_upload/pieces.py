"""The body of a streamed answer, bytes to pieces: our own lines, or the stream of a model's API. Pure.

Two framings, one JSON value in each frame: a line (`application/x-ndjson`), or an event (`text/event-stream`, by the
rules of the HTML standard). Chunks may end anywhere: within a character, within a line, between CR and LF.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import orjson

from actors import limits
from actors.errors import Malformed, TooLarge, XpError
from server.http import exact_json
from server.realtime.message_upload import half_json
from server.realtime.message_upload.model_formats import COMPLETE, CUT_OFF, FAILED, Heard, Outcome, hear

NDJSON: Final = "application/x-ndjson"
EVENTS: Final = "text/event-stream"
_BOM: Final = b"\xef\xbb\xbf"
_DONE: Final = b"[DONE]"
_COMMENT: Final = b":"
"""In place of an event's name, which cannot have a colon in front."""
_FOREIGN: Final = frozenset({"type", "event_type", "object", "choices", "candidates", "done"})
"""Members that our own pieces do not have, and that events of models have beside a `text`."""


@dataclass(frozen=True, slots=True)
class Open:
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Text:
    text: str
    """May begin or end with half of a surrogate pair, of which the other half is in the neighbouring piece."""


@dataclass(frozen=True, slots=True)
class End:
    status: Literal["COMPLETE", "FAILED", "INTERRUPTED"]
    fields: dict[str, Any] = field(default_factory=dict)
    reason: str = ""


Piece = Open | Text | End
ALIVE: Final = Text("")
"""A model that thinks, or calls a tool, is not silent."""


class PieceReader:
    """Feed it the chunks of a body. After an `End` nothing more comes of it."""

    def __init__(self, media: str) -> None:
        """`media`: NDJSON or EVENTS."""
        self._frames = _Lines() if media == NDJSON else _Events()
        self._is_strict = media == NDJSON
        self._outcome: Outcome | None = None
        """Of the model, where it is known and its stream goes on."""
        self._of_model = False

    @property
    def outcome(self) -> Outcome | None:
        """Known before the body has ended: what breaks off after it changes nothing."""
        return self._outcome

    def feed(self, chunk: bytes) -> Iterator[Piece]:
        """Neighbouring texts are one. Raises `Malformed`, `TooLarge`; what stands before that is yielded first."""
        texts: list[str] = []
        try:
            for name, data in self._frames.feed(chunk):
                text = _text_of_line(data) if self._is_strict else None
                if text is not None:
                    texts.append(text)
                    continue
                for piece in self._read(name, data):
                    if isinstance(piece, Text):
                        texts.append(piece.text)
                        continue
                    if texts:
                        yield Text("".join(texts))
                        texts = []
                    yield piece
        except XpError:
            if texts:
                yield Text("".join(texts))
            raise
        if texts:
            yield Text("".join(texts))

    def finish(self) -> Iterator[Piece]:
        """The body has ended; the last piece is an `End`. Raises `Malformed` for a line of ours that is no piece."""
        for name, data in self._frames.rest():
            try:
                yield from self._read(name, data)
            except Malformed:
                if self._is_strict and not self._of_model:
                    raise
                self._outcome = self._outcome or CUT_OFF  # within its last event
        yield self._end(self._outcome or (CUT_OFF if self._of_model else COMPLETE))

    def _read(self, name: bytes, data: bytes) -> Iterator[Piece]:
        if name == _COMMENT:
            yield ALIVE
            return
        if data == _DONE:
            yield self._end(self._outcome or COMPLETE)
            return
        try:
            value = parse(data if self._is_strict else _in_unicode(data))
        except Malformed:
            if name != b"error":
                raise
            yield self._end(FAILED)
            return
        own = _own(value, data)
        if own is not None:
            yield own
            return
        heard = hear(value) if isinstance(value, dict) else None
        if heard is not None:
            yield from self._hear(heard)
        elif self._is_strict:
            yield _own_of_a_kind(value)

    def _hear(self, heard: Heard) -> Iterator[Piece]:
        self._of_model = True
        yield Text(_without_nul(heard.text)) if heard.text else ALIVE
        self._outcome = heard.outcome or self._outcome
        if heard.is_last:
            yield self._end(self._outcome or COMPLETE)

    def _end(self, outcome: Outcome) -> End:
        return End(outcome.status, {}, outcome.reason)


def _in_unicode(data: bytes) -> bytes:
    """As an event stream is decoded: what is no UTF-8 becomes U+FFFD."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return data.decode(errors="replace").encode()
    return data


def _text_of_line(data: bytes) -> str | None:
    """Of `{"text": "…"}`, which nearly all lines are: a third of the time that looking at it in full takes."""
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    if type(value) is dict and len(value) == 1:
        text = value.get("text")
        return text if type(text) is str and "\x00" not in text else None
    return None


def _own(value: object, raw: bytes) -> Piece | None:
    if not isinstance(value, dict) or not _FOREIGN.isdisjoint(value):
        return None
    match value:
        case {"text": str(text)}:
            return Text(_without_nul(text))
        case {"open": dict(fields)}:
            return Open(_exact(fields, value, raw))
        case {"complete": dict(fields)}:
            return End("COMPLETE", _exact(fields, value, raw))
        case {"fail": dict(fields)}:
            return End("FAILED", _exact(fields, value, raw))
    return None


def _own_of_a_kind(value: object) -> Text:
    """A line of no format that is known, with a text. Raises `Malformed`."""
    match value:
        case {"text": str(text)}:
            return Text(_without_nul(text))
    raise Malformed('Expected lines such as {"text": "…"}, {"open": {…}}, {"complete": {…}} or {"fail": {…}}.')


def _without_nul(text: str) -> str:
    return text.replace("\x00", "\ufffd") if "\x00" in text else text


def parse(raw: bytes) -> Any:
    """JSON, also with halves of surrogate pairs. Raises `Malformed`."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        with contextlib.suppress(ValueError):
            return half_json.parse(raw)
        raise Malformed(f"Expected JSON in each line: {error.msg} at character {error.pos}.") from None


def _exact(fields: dict[str, Any], value: object, raw: bytes) -> dict[str, Any]:
    """Raises `Malformed` for what would not be kept as it came."""
    try:
        exact_json.must_be_exact(raw, value)
    except exact_json.Inexact as error:
        raise Malformed(f"{error}.") from None
    if not half_json.is_whole(fields):
        raise Malformed("Expected Unicode: a string contains half of a surrogate pair.")
    return fields


Frame = tuple[bytes, bytes]
"""Name of the event (empty for a line), and its JSON."""


class _Splitter:
    """Chunks to lines; what is not ended yet is kept, up to the size of a body."""

    def __init__(self) -> None:
        self._rest = b""
        self._is_first = True

    def split(self, data: bytes) -> list[bytes]:
        *lines, self._rest = (self._rest + data).split(b"\n")
        if lines and self._is_first:
            self._is_first, lines[0] = False, lines[0].removeprefix(_BOM)
        if len(self._rest) > limits.BODY_BYTES:
            raise TooLarge("A line", limits.BODY_BYTES, len(self._rest))
        return lines

    def last(self) -> bytes:
        rest, self._rest = self._rest, b""
        return rest.removeprefix(_BOM) if self._is_first else rest


class _Lines:
    def __init__(self) -> None:
        self._splitter = _Splitter()

    def feed(self, chunk: bytes) -> Iterator[Frame]:
        for line in self._splitter.split(chunk):
            if line and (data := line.strip()):
                yield b"", data

    def rest(self) -> Iterator[Frame]:
        if data := self._splitter.last().strip():
            yield b"", data


class _Events:
    """An event is complete with the blank line after it, or with the body."""

    def __init__(self) -> None:
        self._splitter = _Splitter()
        self._after_cr = False
        self._name = b""
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> Iterator[Frame]:
        if self._after_cr and chunk.startswith(b"\n"):
            chunk = chunk[1:]
        self._after_cr = chunk.endswith(b"\r")
        if b"\r" in chunk:
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        for line in self._splitter.split(chunk):
            if line or self._data or self._name:
                yield from self._line(line)

    def rest(self) -> Iterator[Frame]:
        yield from self._line(self._splitter.last())
        yield from self._dispatch()

    def _line(self, line: bytes) -> Iterator[Frame]:
        if not line:
            yield from self._dispatch()
            return
        name, _, value = line.partition(b":")
        if not name:
            yield _COMMENT, b""
            return
        value = value.removeprefix(b" ")
        if name == b"event":
            self._name = value
        elif name == b"data":
            if len(self._data) == 1 and _is_whole(self._data[0]):  # a writer that leaves out the blank lines
                yield from self._dispatch()
            self._data.append(value)
            self._size += len(value)
            if self._size > limits.BODY_BYTES:
                raise TooLarge("An event", limits.BODY_BYTES, self._size)

    def _dispatch(self) -> Iterator[Frame]:
        data, name = self._data, self._name
        self._data, self._name, self._size = [], b"", 0
        whole = b"\n".join(data).strip()
        if whole:
            yield name, whole


def _is_whole(data: bytes) -> bool:
    if data.strip() == _DONE:
        return True
    if not data.rstrip().endswith(b"}"):
        return False
    try:
        parse(data)
    except Malformed:
        return False
    return True
