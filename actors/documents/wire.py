"""Frames of the Yjs protocols (y-protocols: sync, awareness, auth), as `y-websocket` sends them. Pure.

A frame begins with what it is about: 0 sync, 1 awareness, 2 auth, 3 a question for awareness.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from actors.documents.bytes_reader import BytesReader, number, string
from actors.documents.cursors import Cursor
from actors.errors import Malformed

_SYNC, _AWARENESS, _AUTH, _QUERY = range(4)
_STEP_1, _STEP_2, _UPDATE = range(3)
NOTHING: Final = b"\x00\x00"
"""An edit that changes nothing."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What a peer has; it wants the rest."""

    vector: bytes


@dataclass(frozen=True, slots=True)
class Edit:
    data: bytes
    is_answer: bool
    """To a question of the server: it may say what the server has already."""


@dataclass(frozen=True, slots=True)
class Show:
    cursors: tuple[Cursor, ...]


@dataclass(frozen=True, slots=True)
class AskCursors:
    pass


Frame = Ask | Edit | Show | AskCursors


def read(frame: bytes) -> Frame:
    """Raises `Malformed`."""
    reader = BytesReader(frame)
    kind = reader.number()
    if kind == _QUERY:
        return AskCursors()
    if kind == _AWARENESS:
        return Show(tuple(_cursors(reader.string())))
    if kind != _SYNC:
        raise Malformed(f"Expected a frame of the Yjs protocols (0 sync, 1 awareness, 3 a question); got {kind}.")
    step = reader.number()
    if step == _STEP_1:
        return Ask(reader.string())
    if step not in (_STEP_2, _UPDATE):
        raise Malformed(f"Expected a step of the sync protocol (0, 1 or 2); got {step}.")
    return Edit(reader.string(), step == _STEP_2)


def _cursors(data: bytes) -> Iterable[Cursor]:
    reader = BytesReader(data)
    for _ in range(reader.number()):
        client, clock = reader.number(), reader.number()
        yield Cursor(client, clock, _text(reader.string()))


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Malformed("The state of an editor is not UTF-8.") from None


def ask(vector: bytes) -> bytes:
    return bytes((_SYNC, _STEP_1)) + string(vector)


def answer(edit: bytes) -> bytes:
    """To `Ask`."""
    return bytes((_SYNC, _STEP_2)) + string(edit)


def update(edit: bytes) -> bytes:
    return bytes((_SYNC, _UPDATE)) + string(edit)


def show(cursors: Sequence[Cursor]) -> bytes:
    parts = [number(len(cursors))]
    for cursor in cursors:
        parts += [number(cursor.client), number(cursor.clock), string(cursor.state.encode())]
    return bytes((_AWARENESS,)) + string(b"".join(parts))


def denied(reason: str) -> bytes:
    return bytes((_AUTH, 0)) + string(reason.encode())
