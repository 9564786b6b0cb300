"""A context as models read it: messages in OpenAI's chat format, or plain text.

In OpenAI's format a `tool` message answers a call that an assistant's message before it made, by its `tool_call`. A
thread's TOOL messages answer no such call, and a request with one would be refused. So they come as `user` messages
whose name begins with `tool_`: told apart from people, and with no more authority than they have.

A `name` has 1 to 64 characters of a–z, A–Z, 0–9, `_` and `-`. Accents are dropped, what else does not fit becomes `_`;
where nothing is left, it is `user_` and the end of the user's id. Of two authors with the same name the older account
has it, and the end of the id follows the other's.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Literal

from actors import limits
from actors.resources.context import Context, Line, indented, name_of
from actors.resources.messages import MessageType
from actors.resources.users import Author
from actors.text.normal import taken_apart

Json = dict[str, Any]
Format = Literal["openai", "text"]

FILES_NAME: Final = "files_of_this_thread"
_ROLES: Mapping[MessageType, str] = {"USER": "user", "ASSISTANT": "assistant", "SYSTEM": "system", "TOOL": "user"}
_KINDS: Mapping[MessageType, str] = {"TOOL": " (tool)", "SYSTEM": " (system)"}
_UNFIT = re.compile(r"[^a-zA-Z0-9_-]+")
_ID_END: Final = 6


def context(record: Context, form: Format) -> Json:
    shown: Json = {"messages": _messages(record)} if form == "openai" else {"text": _text(record)}
    if record.files is not None:
        shown["files_truncated"] = record.files.truncated
    return shown | {
        "tokens": record.tokens,
        "truncated": record.truncated,
        "offset": record.offset,
        "from_offset": record.lines[0].offset if record.lines else None,
        "to_offset": record.lines[-1].offset if record.lines else None,
    }


def _messages(record: Context) -> list[Json]:
    names = _distinct(
        record.lines, _plain_name, lambda name, end: f"{name[: limits.PROMPT_NAME_CHARS - 1 - len(end)]}_{end}"
    )
    notes = [{"role": "system", "content": record.notes}] if record.notes else []
    messages = [
        {"role": _ROLES[line.type], "name": names[_speaker(line)], "content": line.text} for line in record.lines
    ]
    return notes + _files(record) + messages


def _files(record: Context) -> list[Json]:
    """As from a person: what is in a file has no more authority than who uploads it."""
    if record.files is None or not record.files.text:
        return []
    return [{"role": "user", "name": FILES_NAME, "content": record.files.text}]


def _text(record: Context) -> str:
    names = _distinct(record.lines, _full_name, lambda name, end: f"{name} ({end})")
    notes = [f"Notes: {indented(record.notes)}"] if record.notes else []
    files = [f"Files: {indented(record.files.text)}"] if record.files and record.files.text else []
    messages = [f"{names[_speaker(line)]}: {indented(line.text)}" for line in record.lines]
    return "\n\n".join(notes + files + messages)


_Speaker = tuple[Author, str]
"""An author and the type of the message: a user may post as a tool, too."""


def _speaker(line: Line) -> _Speaker:
    return line.author, _KINDS.get(line.type, "")


def _plain_name(speaker: _Speaker) -> str:
    author, kind = speaker
    ascii_only = taken_apart(author.name).encode("ascii", "ignore").decode()
    name = _UNFIT.sub("_", ascii_only).strip("_-") or f"user_{author.id[-_ID_END:]}"
    return f"{'tool_' if kind == _KINDS['TOOL'] else ''}{name}"[: limits.PROMPT_NAME_CHARS]


def _full_name(speaker: _Speaker) -> str:
    author, kind = speaker
    return f"{name_of(author)}{kind}"


def _distinct(
    lines: Iterable[Line], name: Callable[[_Speaker], str], longer: Callable[[str, str], str]
) -> dict[_Speaker, str]:
    """A name for each speaker; no two authors have the same."""
    names: dict[_Speaker, str] = {}
    taken: dict[str, str] = {}
    for speaker in sorted({_speaker(line) for line in lines}, key=lambda speaker: (speaker[0].key, speaker[1])):
        plain, id_ = name(speaker), speaker[0].id
        candidates = (plain, longer(plain, id_[-_ID_END:]), longer(plain, id_))
        names[speaker] = next((free for free in candidates if taken.get(free, id_) == id_), candidates[-1])
        taken[names[speaker]] = id_
    return names
