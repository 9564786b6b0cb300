"""What the blocks of a message offer to act on: elements, and the inputs whose state is sent along. Pure.

A block is named by its `block_id`, an element by its `action_id`. One without is named by its JSON pointer: of a block
within the blocks (`/2`), of an element within its block (`/accessory`). A form is named by its block, its action by
`action_id` or by the pointer of the whole block, the empty text.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

_NESTED: Final = ("child_blocks", "tasks", "fallback", "elements")
_ELEMENTS: Final = ("elements", "element", "accessory", "actions")
BUTTONS: Final = frozenset({"button", "icon_button", "workflow_button"})
MOMENTARY: Final = BUTTONS | {"overflow", "feedback_buttons"}
"""Elements that act, and hold no value afterwards."""
STATEFUL: Final = frozenset({
    "checkboxes", "radio_buttons", "datepicker", "timepicker", "datetimepicker", "email_text_input", "url_text_input",
    "number_input", "plain_text_input", "rich_text_input", "file_input", "static_select", "external_select",
    "users_select", "conversations_select", "channels_select", "multi_static_select", "multi_external_select",
    "multi_users_select", "multi_conversations_select", "multi_channels_select",
})  # fmt: skip
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Offer:
    block_id: str
    action_id: str
    kind: str
    element: Json
    """The block itself where that is a form."""
    is_required: bool = False
    """Of an input: its form is not sent without it."""
    acts: bool = True
    """Whether it can be acted on by itself, not only filled in."""


def named(offer: Offer) -> tuple[str, str]:
    return offer.block_id, offer.action_id


def offers(blocks: list[Any]) -> dict[tuple[str, str], Offer]:
    """(block, action) → what can be acted on, or filled in. Blocks are valid."""
    found: dict[tuple[str, str], Offer] = {}
    for block, at in _blocks(blocks, ""):
        for offer in _of_block(block, at):
            if named(offer) not in found or "block_id" in block:  # a name goes before a place
                found[named(offer)] = offer
    return found


def inputs(blocks: list[Any]) -> dict[tuple[str, str], Offer]:
    """All that holds a value, also within forms."""
    found = {name: offer for name, offer in offers(blocks).items() if offer.kind in STATEFUL}
    for block, at in _blocks(blocks, ""):
        if block["type"] == "form":
            found |= inputs_of(block, at)
    return found


def inputs_of(form: Json, at: str) -> dict[tuple[str, str], Offer]:
    """What a form asks for; `at` is the pointer of the form."""
    found = {}
    for index, block in enumerate(form["blocks"]):
        for offer in _of_block(block, f"{at}/blocks/{index}"):
            if offer.kind in STATEFUL:
                found[named(offer)] = offer
    return found


def deadlines(blocks: Any) -> dict[str, int]:
    """Forms that take no answer after an instant: block → milliseconds since 1970."""
    found = offers(blocks).values() if isinstance(blocks, list) else ()
    return {offer.block_id: instant for offer in found if (instant := closes_at(offer)) is not None}


def closes_at(offer: Offer) -> int | None:
    """Milliseconds since 1970; None where it stays open."""
    given = offer.element.get("expires_at") if offer.kind == "form" else None
    return round(datetime.fromisoformat(given).timestamp() * 1000) if given else None


def block_of(blocks: Any, block_id: str) -> tuple[Json, str] | None:
    """The block of that name, and its pointer."""
    placed = None
    for block, at in _blocks(blocks, ""):
        if block.get("block_id") == block_id:
            return block, at
        if at == block_id and not block.get("block_id"):
            placed = block, at
    return placed


def _blocks(blocks: Any, at: str) -> Iterator[tuple[Json, str]]:
    """With those within containers; not those of a form, which is acted on as a whole."""
    for index, block in enumerate(blocks if isinstance(blocks, list) else ()):
        if not isinstance(block, dict) or str(block.get("type", "x-")).startswith("x-"):
            continue
        here = f"{at}/{index}"
        yield block, here
        for name in _NESTED if block["type"] in ("container", "carousel", "plan", "auth_provider") else ():
            yield from _blocks(block.get(name), f"{here}/{name}")


def _of_block(block: Json, at: str) -> Iterator[Offer]:
    block_id = block.get("block_id") or at
    if block["type"] == "form":
        yield Offer(block_id, block.get("action_id") or "", "form", block)
        return
    is_input = block["type"] == "input"
    for element, place in _elements(block):
        kind = element.get("type")
        if kind in STATEFUL or kind in MOMENTARY:
            yield Offer(
                block_id,
                element.get("action_id") or place,
                str(kind),
                element,
                is_required=is_input and not block.get("optional"),
                acts=not is_input or bool(block.get("dispatch_action")),
            )


def _elements(block: Json) -> Iterator[tuple[Json, str]]:
    for name in _ELEMENTS:
        held = block.get(name)
        if isinstance(held, dict):
            yield held, f"/{name}"
        elif isinstance(held, list):
            yield from ((each, f"/{name}/{index}") for index, each in enumerate(held) if isinstance(each, dict))
