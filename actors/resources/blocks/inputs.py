"""What is filled in, checked by its own input: only options that it has, lengths, bounds, patterns. Pure.

| input | value |
|---|---|
| texts, `email_text_input`, `url_text_input` | a text |
| `number_input` | a number, or a text of one |
| `datepicker`, `timepicker` | `2026-11-23`, `07:00` |
| `datetimepicker` | seconds since 1970, a whole number |
| `radio_buttons`, selects | the value of an option, or an id |
| `checkboxes`, `multi_…` selects, `file_input` | a list of them, each once |
| `rich_text_input` | a `rich_text` block |

Who or what an id names is not known here: those are collected, for a store to look up.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any, Final, Literal

from actors import limits
from actors.identifiers import is_id
from actors.resources.blocks import profile as profiles
from actors.resources.blocks.checks import compiled
from actors.resources.blocks.faults import At, Check, Faults, shown
from actors.resources.blocks.formats import FORMATS
from actors.resources.blocks.offers import BUTTONS, Json, Offer
from actors.text import pattern

Named = Literal["user", "thread", "file"]
_EMAIL: Final = re.compile(r"[^@\s]{1,64}@[^@\s]{1,189}")
_URL: Final = re.compile(r"https?://[^\s\x00-\x1f]{1,2990}", re.IGNORECASE)


@dataclass(slots=True)
class Filled:
    """Faults, and the ids that a store has to look up."""

    faults: Faults = field(default_factory=lambda: Faults(limits.FIELD_ERRORS))
    named: list[tuple[At, Named, str, Json]] = field(default_factory=list)
    """(place, what, id, element)"""


def is_empty(value: Any) -> bool:
    """As a person leaves an input."""
    return value is None or value in ("", [])


def check(offer: Offer, value: Any, at: At, filled: Filled) -> None:
    _CHECKS[offer.kind](offer.element, value, at, filled)


def check_state(
    state: Mapping[str, Mapping[str, Any]],
    inputs: Mapping[tuple[str, str], Offer],
    at: At,
    filled: Filled,
    *,
    is_form: bool,
) -> None:
    """Of a form, also that nothing is missing."""
    for block_id, values in state.items():
        for action_id, value in values.items():
            place = ((at, block_id), action_id)
            offer = inputs.get((block_id, action_id))
            if offer is None:
                filled.faults.add(place, "unknown_field", "an input of the blocks", actual=shown(action_id))
            elif not is_empty(value):
                check(offer, value, place, filled)
    for (block_id, action_id), offer in inputs.items() if is_form else ():
        if offer.is_required and is_empty(state.get(block_id, {}).get(action_id)):
            filled.faults.add(((at, block_id), action_id), "required", "a value", actual="nothing")


def with_default(offer: Offer, value: Any) -> Any:
    """A button that is pressed without a value has its own."""
    return offer.element.get("value") if value is None and offer.kind in BUTTONS else value


def _is_text(value: Any, at: At, faults: Faults) -> bool:
    if type(value) is not str:
        faults.add_type(at, "a text", value)
    return type(value) is str


def _text(element: Json, value: Any, at: At, filled: Filled) -> None:
    faults = filled.faults
    if not _is_text(value, at, faults):
        return
    least, most = element.get("min_length") or 0, element.get("max_length") or limits.INPUT_CHARS
    if len(value) > most:
        faults.add(at, "too_long", f"at most {most} characters", limit=most, actual=len(value))
    elif len(value) < least:
        faults.add(at, "too_short", f"at least {least} characters", limit=least, actual=len(value))
    elif (source := element.get("pattern")) and not pattern.compiled(source).matches(value):
        faults.add(at, "wrong_format", f"a text like {source}", actual=shown(value))


def _form_of(expected: str, fits: Callable[[str], Any], most: int) -> "_Check":
    def run(element: Json, value: Any, at: At, filled: Filled) -> None:
        faults = filled.faults
        if not _is_text(value, at, faults):
            return
        if len(value) > most:
            faults.add(at, "too_long", f"at most {most} characters", limit=most, actual=len(value))
        elif not fits(value):
            faults.add(at, "wrong_format", expected, actual=shown(value))

    return run


def _within(least: Any, most: Any, value: Any, at: At, faults: Faults, actual: Any = None) -> None:
    """Bounds of the same kind as the value: dates and times as texts are in order."""
    actual = value if actual is None else actual
    if most is not None and value > most:
        faults.add(at, "too_large", f"at most {most}", limit=_limit(most), actual=actual)
    elif least is not None and value < least:
        faults.add(at, "too_small", f"at least {least}", limit=_limit(least), actual=actual)


def _limit(bound: Any) -> int | float | None:
    return float(bound) if isinstance(bound, int | Decimal) else None


def _number(element: Json, value: Any, at: At, filled: Filled) -> None:
    number = _decimal(value)
    if number is None:
        filled.faults.add(at, "wrong_format", "a number", actual=shown(value))
        return
    if not element.get("is_decimal_allowed") and number != number.to_integral_value():
        filled.faults.add(at, "wrong_format", "a whole number", actual=shown(value))
        return
    least, most = _decimal(element.get("min_value")), _decimal(element.get("max_value"))
    _within(least, most, number, at, filled.faults, shown(value))


def _decimal(value: Any) -> Decimal | None:
    if type(value) is str and not FORMATS["number"][0](value):
        return None
    if type(value) not in (str, int, float) or abs(value if type(value) is not str else 0) > 1e30:
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def _picked(format_: str, name: str) -> "_Check":
    fits, expected = FORMATS[format_]

    def run(element: Json, value: Any, at: At, filled: Filled) -> None:
        if type(value) is not str or not fits(value):
            filled.faults.add(at, "wrong_format", expected, actual=shown(value))
        else:
            _within(element.get(f"min_{name}"), element.get(f"max_{name}"), value, at, filled.faults)

    return run


def _instant(element: Json, value: Any, at: At, filled: Filled) -> None:
    if type(value) is not int or not 0 <= value <= 9_999_999_999:
        filled.faults.add(at, "wrong_type", "seconds since 1970, a whole number", actual=shown(value))
    else:
        _within(element.get("min_date_time"), element.get("max_date_time"), value, at, filled.faults)


def _options(element: Json) -> Iterable[str]:
    yield from (option["value"] for option in element.get("options") or ())
    for group in element.get("option_groups") or ():
        yield from (option["value"] for option in group["options"])


def _option(element: Json, value: Any, at: At, filled: Filled) -> None:
    if type(value) is not str or value not in _options(element):
        filled.faults.add(at, "not_a_choice", "the value of one of its options", actual=shown(value))


def _external(element: Json, value: Any, at: At, filled: Filled) -> None:
    """Its author knows the options."""
    if type(value) is not str or not 1 <= len(value) <= limits.OPTION_VALUE_CHARS:
        most = limits.OPTION_VALUE_CHARS
        filled.faults.add(at, "not_a_choice", f"the value of an option, 1 to {most} characters", actual=shown(value))


def _id(what: Named) -> "_Check":
    def run(element: Json, value: Any, at: At, filled: Filled) -> None:
        if type(value) is str and is_id(value):
            filled.named.append((at, what, value, element))
        else:
            filled.faults.add(at, "not_a_choice", f"the id of a {what}", actual=shown(value))

    return run


def _several(each: "_Check", bound: str = "max_selected_items", most_of_all: int = 100) -> "_Check":
    def run(element: Json, value: Any, at: At, filled: Filled) -> None:
        if type(value) is not list:
            filled.faults.add_type(at, "a list", value)
            return
        most = element.get(bound) or most_of_all
        if len(value) > most:
            filled.faults.add(at, "too_many", f"at most {most} items", limit=most, actual=len(value))
            return
        for index, item in enumerate(value):
            if item in value[:index]:
                filled.faults.add((at, index), "duplicate", "each once", actual=shown(item))
            else:
                each(element, item, (at, index), filled)

    return run


def _rich_text(element: Json, value: Any, at: At, filled: Filled) -> None:
    if type(value) is not dict or value.get("type") != "rich_text":
        filled.faults.add_type(at, "a `rich_text` block", value)
    else:
        _rich_text_check()(value, at, filled.faults)


@cache
def _rich_text_check() -> Check:
    return compiled(profiles.load())["rich_text"]


def _button(element: Json, value: Any, at: At, filled: Filled) -> None:
    if value != element.get("value"):
        filled.faults.add(at, "not_a_choice", "the value of the button, or none", actual=shown(value))


def _feedback(element: Json, value: Any, at: At, filled: Filled) -> None:
    if value not in (element["positive_button"]["value"], element["negative_button"]["value"]):
        filled.faults.add(at, "not_a_choice", "the value of one of the two buttons", actual=shown(value))


_Check = Callable[[Json, Any, At, Filled], None]
_CHECKS: Final[Mapping[str, _Check]] = {
    "button": _button,
    "icon_button": _button,
    "workflow_button": _button,
    "feedback_buttons": _feedback,
    "overflow": _option,
    "radio_buttons": _option,
    "checkboxes": _several(_option),
    "datepicker": _picked("date", "date"),
    "timepicker": _picked("time", "time"),
    "datetimepicker": _instant,
    "plain_text_input": _text,
    "email_text_input": _form_of("an e-mail address", _EMAIL.fullmatch, limits.EMAIL_CHARS),
    "url_text_input": _form_of("a URL with https: or http:", _URL.fullmatch, limits.INPUT_CHARS),
    "number_input": _number,
    "rich_text_input": _rich_text,
    "file_input": _several(_id("file"), "max_files", 10),
    "static_select": _option,
    "external_select": _external,
    "users_select": _id("user"),
    "conversations_select": _id("thread"),
    "channels_select": _id("thread"),
    "multi_static_select": _several(_option),
    "multi_external_select": _several(_external),
    "multi_users_select": _several(_id("user")),
    "multi_conversations_select": _several(_id("thread")),
    "multi_channels_select": _several(_id("thread")),
}
