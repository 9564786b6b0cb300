"""Whether blocks are what a profile says: every fault at once, and nothing is raised.

Over all of a message: the number of blocks, the budget of its markdown, ids that stand twice. A type that begins with
`x-` belongs to an application: it passes as it is, bounded by its bytes and depth.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Final

from actors import limits
from actors.resources.blocks import profile as profiles
from actors.resources.blocks.checks import compiled
from actors.resources.blocks.faults import At, Fault, Faults
from actors.resources.blocks.json_fields import is_shallow, json_bytes
from actors.resources.blocks.profile import DEFAULT, Profile

_OWN_TYPE: Final = re.compile(r"x-[a-z0-9][a-z0-9._-]{0,61}")
_ELEMENTS: Final = ("elements", "element", "accessory", "actions")
"""Where a block holds what can be acted on."""
_BLOCKS: Final = ("child_blocks", "blocks", "tasks", "fallback")
Validate = Callable[[Any], tuple[Fault, ...]]


def faults(blocks: Any, profile: str = DEFAULT) -> tuple[Fault, ...]:
    """Up to `limits.FIELD_ERRORS` of them; empty for blocks that are valid. Raises `KeyError` for no profile."""
    return _validator(profile)(blocks)


@cache
def _validator(name: str) -> Validate:
    return validator(profiles.load(name))


def validator(profile: Profile) -> Validate:
    """Compiled once, called for every message."""
    checks = compiled(profile)
    members = profile.members({"family": "block"})
    by_type = {kind: checks[shape] for kind, shape in members.items()}
    unknown = ", ".join([*sorted(by_type), "x-…"])

    def validate(blocks: Any) -> tuple[Fault, ...]:
        found = Faults(limits.FIELD_ERRORS)
        if type(blocks) is not list:
            found.add_type(None, "a list of blocks", blocks)
            return tuple(found.found)
        if len(blocks) > profile.blocks:
            expected = f"at most {profile.blocks} blocks"
            found.add(None, "too_many", expected, limit=profile.blocks, actual=len(blocks))
        for index, block in enumerate(blocks):
            kind = block.get("type") if type(block) is dict else None
            check = by_type.get(kind) if type(kind) is str else None
            if check is not None:
                check(block, (None, index), found)
            else:
                _other(block, kind, (None, index), found, unknown)
        _over_all(blocks, profile, found)
        return tuple(found.found)

    return validate


def _other(block: Any, kind: Any, at: At, found: Faults, unknown: str) -> None:
    """A block of no known type: an application's own, or none."""
    if not isinstance(block, dict):
        found.add_type(at, "an object with a `type`", block)
    elif not isinstance(kind, str):
        found.add((at, "type"), "required", f"`type`, one of {unknown}", actual="nothing")
    elif _OWN_TYPE.fullmatch(kind) is None:
        found.add((at, "type"), "unknown_type", f"one of {unknown}", actual=repr(kind[:100]))
    elif is_shallow(block, at, found) and (size := json_bytes(block)) > limits.BLOCKS_BYTES:
        most = limits.BLOCKS_BYTES
        found.add(at, "too_large", f"at most {most} bytes of JSON", limit=most, actual=size)


# Over all blocks


def _over_all(blocks: list[Any], profile: Profile, found: Faults) -> None:
    seen: dict[str, None] = {}
    characters = 0
    for block, at in _known(blocks, None):
        characters += _markdown(block)
        _note(block.get("block_id"), (at, "block_id"), seen, found)
        for name in _ELEMENTS:
            if name in block:
                _distinct_actions(block, at, found)
                break
    if characters > profile.markdown_characters:
        most = profile.markdown_characters
        expected = f"at most {most} characters in all markdown blocks"
        found.add(None, "too_long", expected, limit=most, actual=characters)


def _known(blocks: Any, at: At) -> Iterator[tuple[dict[str, Any], At]]:
    """Blocks, and those within them; not what is in an `x-…`."""
    for index, block in enumerate(blocks):
        if type(block) is not dict or (type(kind := block.get("type")) is str and kind.startswith("x-")):
            continue
        yield block, (at, index)
        if kind in ("container", "form", "plan", "carousel", "auth_provider"):
            for name in ("elements", *_BLOCKS) if kind == "carousel" else _BLOCKS:
                if type(inner := block.get(name)) is list:
                    yield from _known(inner, ((at, index), name))


def _markdown(block: dict[str, Any]) -> int:
    text = block.get("text") if block.get("type") == "markdown" else None
    return len(text) if type(text) is str else 0


def _distinct_actions(block: dict[str, Any], at: At, found: Faults) -> None:
    """Within one block: together with its `block_id` an action is named."""
    seen: dict[str, None] = {}
    for name in _ELEMENTS:
        elements = block.get(name)
        if type(elements) is dict:
            _note(elements.get("action_id"), (((at, name)), "action_id"), seen, found)
        elif type(elements) is list:
            for index, element in enumerate(elements):
                if type(element) is dict:
                    _note(element.get("action_id"), (((at, name), index), "action_id"), seen, found)


def _note(value: Any, at: At, seen: dict[str, None], found: Faults) -> None:
    if type(value) is str:
        if value in seen:
            found.add(at, "duplicate", "an id that nothing else here has", actual=repr(value[:100]))
        seen[value] = None
