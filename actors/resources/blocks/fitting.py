"""Blocks of producers that cannot count, made to fit: texts cut short, or divided over several blocks.

Nothing is repaired but lengths and numbers of items: a fault of any other kind stays one. What was changed is listed.
"""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final, Literal

from actors import limits
from actors.resources.blocks import profile as profiles
from actors.resources.blocks import validation
from actors.resources.blocks.faults import Fault
from actors.resources.blocks.profile import DEFAULT, Profile

Fit = Literal["reject", "truncate", "split"]
"""`split` divides what goes on in another block of the same type, and cuts the rest."""
_ELLIPSIS: Final = "…"
_CUT: Final = frozenset({"too_long", "too_many"})
_DIVIDED: Final = {"section": ("text", "text"), "markdown": ("text",), "code": ("text",)}
"""Type → where the text stands that goes on in another block of the same type."""
_ROWS: Final = frozenset({"table", "data_table"})
_IDENTIFIERS: Final = frozenset({
    "block_id", "action_id", "value", "url", "image_url", "video_url", "thumbnail_url", "title_url",
    "provider_icon_url", "icon_url", "auth_url", "disconnect_url", "audio_url", "external_id", "task_id", "call_id",
    "user_id", "usergroup_id", "channel_id", "team_id", "format", "name", "pattern", "language", "icon",
})  # fmt: skip
"""A part of one is another one, or none: too long, they stay a fault."""


@dataclass(frozen=True, slots=True)
class Change:
    pointer: str
    """Of a text that was divided, in the blocks as they came; of what was cut, in the blocks as they are then."""
    action: Literal["truncated", "split"]
    limit: int
    actual: int


def fitted(blocks: Any, fit: Fit, profile: str = DEFAULT) -> tuple[Any, tuple[Change, ...]]:
    """The blocks and what was changed. Those that came are left as they are."""
    if fit == "reject" or not _too_much(validation.faults(blocks, profile)):
        return blocks, ()
    changes: list[Change] = []
    made = deepcopy(blocks)
    if fit == "split":
        made = list(_divided(made, profiles.load(profile), changes))
    for _ in range(limits.FITTING_ROUNDS):
        faults = _too_much(validation.faults(made, profile))
        cut = [_cut(made, fault, profiles.load(profile), changes, fit) for fault in reversed(faults)]
        if not any(cut):
            break
    return made, tuple(changes)


def _too_much(faults: tuple[Fault, ...]) -> list[Fault]:
    return [fault for fault in faults if fault.code in _CUT]


# Dividing


def _divided(blocks: list[Any], profile: Profile, changes: list[Change]) -> Iterator[Any]:
    for index, block in enumerate(blocks):
        kind = block.get("type") if isinstance(block, dict) else None
        if kind in _DIVIDED:
            yield from _texts(block, index, profile, changes)
        elif kind in _ROWS:
            yield from _tables(block, index, profile, changes)
        else:
            yield block


def _texts(block: dict[str, Any], index: int, profile: Profile, changes: list[Change]) -> Iterator[Any]:
    keys = _DIVIDED[block["type"]]
    most = profile.shapes[block["type"]]["fields"]["text"]["max"]
    text = _at(block, keys)
    if not isinstance(text, str) or len(text) <= most:
        yield block
        return
    changes.append(Change(f"/{index}/{'/'.join(keys)}", "split", most, len(text)))
    first, *rest = _pieces(text, most)
    _put(block, keys, first)
    yield block
    for piece in rest:
        more: dict[str, Any] = {"type": block["type"]}
        if len(keys) == 2:
            more[keys[0]] = {**block[keys[0]]}
        _put(more, keys, piece)
        yield more


def _pieces(text: str, most: int) -> list[str]:
    """At the end of a paragraph, a line, a word; inside of one where it must be."""
    pieces = []
    while len(text) > most:
        at = max((text.rfind(mark, most // 2, most) + len(mark) for mark in ("\n\n", "\n", " ")), default=0)
        at = at if at > most // 2 else most
        pieces.append(text[:at])
        text = text[at:]
    return [*pieces, text] if text else pieces


def _tables(block: dict[str, Any], index: int, profile: Profile, changes: list[Change]) -> Iterator[Any]:
    """Each with the first row of the whole, which heads it."""
    most = profile.shapes[block["type"]]["fields"]["rows"]["max"]
    rows = block.get("rows")
    if not isinstance(rows, list) or len(rows) <= most:
        yield block
        return
    changes.append(Change(f"/{index}/rows", "split", most, len(rows)))
    head, body = rows[0], rows[1:]
    for start in range(0, len(body), most - 1):
        part = {**block, "rows": [head, *body[start : start + most - 1]]}
        if start:
            part.pop("block_id", None)
        yield part


# Cutting


def _cut(blocks: list[Any], fault: Fault, profile: Profile, changes: list[Change], fit: Fit) -> bool:
    """Whether that could be cut. Where texts are divided, whole blocks are not taken away."""
    keys = fault.pointer.split("/")[1:]
    if not isinstance(fault.limit, int) or not isinstance(fault.actual, int) or (fit == "split" and not keys):
        return False
    if not keys:
        return _cut_list(blocks, fault, profile, changes)
    parent = _at(blocks, keys[:-1])
    key: Any = int(keys[-1]) if isinstance(parent, list) else keys[-1]
    value = parent[key]
    if isinstance(value, str) and not _is_identifier(key, parent):
        parent[key] = cut(value, fault.limit)
    elif isinstance(value, list) and fault.code == "too_many":
        parent[key] = value[: fault.limit]
    else:
        return False
    changes.append(Change(fault.pointer, "truncated", fault.limit, fault.actual))
    return True


def _is_identifier(key: Any, parent: Any) -> bool:
    """The `value` of a pair is a text."""
    return key in _IDENTIFIERS and not (key == "value" and "key" in parent)


def _cut_list(blocks: list[Any], fault: Fault, profile: Profile, changes: list[Change]) -> bool:
    assert isinstance(fault.limit, int)
    if fault.code == "too_many":
        del blocks[fault.limit :]
    elif not _cut_markdown(blocks, profile.markdown_characters):
        return False
    changes.append(Change("", "truncated", fault.limit, fault.actual))
    return True


def _cut_markdown(blocks: list[Any], room: int) -> bool:
    """The last markdown blocks give way."""
    kept: list[Any] = []
    for block in blocks:
        text = block.get("text") if isinstance(block, dict) and block.get("type") == "markdown" else None
        if isinstance(text, str):
            if room == 0:
                continue
            block["text"] = cut(text, room)
            room -= len(block["text"])
        kept.append(block)
    is_shorter = kept != blocks or room == 0
    blocks[:] = kept
    return is_shorter


def cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + _ELLIPSIS


def _at(node: Any, keys: Any) -> Any:
    for key in keys:
        if isinstance(node, list):
            node = node[int(key)]
        elif isinstance(node, dict):
            node = node.get(_unescaped(key))
        else:
            return None
    return node


def _put(block: dict[str, Any], keys: tuple[str, ...], value: str) -> None:
    _at(block, keys[:-1])[keys[-1]] = value


def _unescaped(key: str) -> str:
    return key.replace("~1", "/").replace("~0", "~")
