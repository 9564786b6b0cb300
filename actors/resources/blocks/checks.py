"""A profile compiled: one closure for each field, so that a block is checked in some microseconds.

A check is given a value, its place, and where faults go; it raises nothing.
"""

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from actors import limits
from actors.resources.blocks import rules
from actors.resources.blocks.faults import At, Check, Faults, shown
from actors.resources.blocks.formats import FORMATS
from actors.resources.blocks.json_fields import json_field
from actors.resources.blocks.profile import Profile, Spec

_URL: Final = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*):[^\s\x00-\x1f\x7f<>\"\\^`{|}]+")
_WEB: Final = ("https", "http")


def compiled(profile: Profile) -> Mapping[str, Check]:
    """Shape → its check."""
    checks: dict[str, Check] = {}
    for name, shape in profile.shapes.items():
        checks[name] = _Compiler(profile, checks).shape(name, shape)
    return checks


def check_of(profile: Profile, shape: str, field: str) -> Check:
    """Of one field of a shape."""
    return _Compiler(profile, dict(compiled(profile))).field(profile.shapes[shape]["fields"][field])


class _Compiler:
    """Checks of fields look up those of shapes when they run: shapes hold each other."""

    def __init__(self, profile: Profile, checks: dict[str, Check]) -> None:
        self._profile = profile
        self._checks = checks

    def shape(self, name: str, shape: Spec) -> Check:
        fields = {field: self.field(spec) for field, spec in shape["fields"].items()}
        required = tuple(field for field, spec in shape["fields"].items() if spec.get("required"))
        optional = frozenset(fields) - set(required)
        own = None if shape.get("typeless") else self._profile.type_of(name)
        lengths = _plain_strings(shape["fields"])
        fields |= {} if own is None else {"type": _choice({"values": [own]})}
        required = required if own is None else ("type", *required)
        needed = frozenset(required)
        more = rules.of(shape)

        def check(value: Any, at: At, faults: Faults) -> None:
            if type(value) is not dict:
                faults.add_type(at, "an object", value)
                return
            for key, inner in value.items():
                if inner == own and key == "type":
                    continue
                length = lengths.get(key)
                if length is not None and type(inner) is str and length[0] <= len(inner) <= length[1]:
                    continue
                found = fields.get(key)
                if found is None:
                    faults.add((at, key), "unknown_field", _expected_field(key, fields), actual=repr(key)[:100])
                elif inner is not None or key not in optional:  # null is as good as left out
                    found(inner, (at, key), faults)
            if not needed <= value.keys():
                _add_missing(value, required, at, faults)
            for rule in more:
                rule(value, at, faults)

        return check

    def field(self, spec: Spec) -> Check:
        make: Callable[[Spec], Check] = getattr(self, f"_{spec['kind']}", None) or _KINDS[spec["kind"]]
        return make(spec)

    def _object(self, spec: Spec) -> Check:
        checks, name = self._checks, spec["of"]

        def check(value: Any, at: At, faults: Faults) -> None:
            checks[name](value, at, faults)

        return check

    def _one(self, spec: Spec) -> Check:
        checks, members = self._checks, self._profile.members(spec)

        def check(value: Any, at: At, faults: Faults) -> None:
            kind = value.get("type") if type(value) is dict else None
            name = members.get(kind) if type(kind) is str else None
            if name is not None:
                checks[name](value, at, faults)
            elif type(value) is not dict:
                faults.add_type(at, "an object", value)
            elif kind is None:
                faults.add((at, "type"), "required", f"`type`, one of {_some(members)}", actual="nothing")
            else:
                faults.add((at, "type"), "unknown_type", _expected(kind, members), actual=shown(kind))

        return check

    def _text(self, spec: Spec) -> Check:
        inner, length = self._one({"of": spec["of"]}), _string({**spec, "kind": "string"})
        most, least = spec["max"], spec["min"]
        of_shape = [self._profile.shapes[name]["fields"]["text"] for name in spec["of"]]
        room = range(max(least, *(each["min"] for each in of_shape)), min(most, *(e["max"] for e in of_shape)) + 1)
        types = frozenset(map(self._profile.type_of, spec["of"]))

        def check(value: Any, at: At, faults: Faults) -> None:
            if type(value) is dict and len(value) == 2 and value.get("type") in types:  # nearly every text is this
                text = value.get("text")
                if type(text) is str and len(text) in room:
                    return
            before = faults.count
            inner(value, at, faults)
            if before == faults.count and not least <= len(value["text"]) <= most:
                length(value["text"], (at, "text"), faults)

        return check

    def _array(self, spec: Spec) -> Check:
        inner, least, most = self.field(spec["of"]), spec["min"], spec.get("max", limits.BLOCKS_BYTES)
        is_nullable = spec.get("nullable", False)

        def check(value: Any, at: At, faults: Faults) -> None:
            if type(value) is not list:
                faults.add_type(at, "a list", value)
                return
            if len(value) > most:
                faults.add(at, "too_many", f"at most {most} items", limit=most, actual=len(value))
            elif len(value) < least:
                faults.add(at, "too_few", f"at least {least} items", limit=least, actual=len(value))
            for index, item in enumerate(value):
                if item is not None or not is_nullable:
                    inner(item, (at, index), faults)

        return check


def _add_missing(value: Mapping[str, Any], required: Sequence[str], at: At, faults: Faults) -> None:
    for key in required:
        if key not in value:
            faults.add((at, key), "required", f"`{key}`", actual="nothing")


def _plain_strings(fields: Mapping[str, Spec]) -> dict[str, tuple[int, int]]:
    """Field → its lengths, of those that are only bounded: a call for each of them is half of the time of a check."""
    return {
        name: (spec["min"], spec.get("max", limits.BLOCKS_BYTES))
        for name, spec in fields.items()
        if spec["kind"] == "string" and "format" not in spec
    }


def _string(spec: Spec) -> Check:
    least, most = spec["min"], spec.get("max", limits.BLOCKS_BYTES)
    fits, expected = FORMATS[spec["format"]] if "format" in spec else (None, "")

    def check(value: Any, at: At, faults: Faults) -> None:
        if type(value) is not str:
            faults.add_type(at, "a text", value)
        elif len(value) > most:
            faults.add(at, "too_long", f"at most {most} characters", limit=most, actual=len(value))
        elif len(value) < least:
            faults.add(at, "too_short", f"at least {least} characters", limit=least, actual=len(value))
        elif fits is not None and not fits(value):
            faults.add(at, "wrong_format", expected, actual=shown(value))

    return check


def _url(spec: Spec) -> Check:
    most, schemes = spec["max"], spec.get("schemes", _WEB)
    expected = "a URL with " + " or ".join(f"{scheme}:" for scheme in schemes)

    def check(value: Any, at: At, faults: Faults) -> None:
        if type(value) is not str:
            faults.add_type(at, expected, value)
        elif len(value) > most:
            faults.add(at, "too_long", f"at most {most} characters", limit=most, actual=len(value))
        elif (found := _URL.fullmatch(value)) is None or found[1].lower() not in schemes:
            faults.add(at, "dangerous_url" if ":" in value else "wrong_format", expected, actual=shown(value))

    return check


def _number(spec: Spec) -> Check:
    least, most = spec.get("min"), spec.get("max")
    types = (int,) if spec["kind"] == "integer" else (int, float)
    name = "a whole number" if spec["kind"] == "integer" else "a number"

    def check(value: Any, at: At, faults: Faults) -> None:
        if type(value) not in types or value != value or value in (float("inf"), float("-inf")):
            faults.add_type(at, name, value)
        elif most is not None and value > most:
            faults.add(at, "too_large", f"at most {most}", limit=most, actual=value)
        elif least is not None and value < least:
            faults.add(at, "too_small", f"at least {least}", limit=least, actual=value)

    return check


def _scalar(spec: Spec) -> Check:
    most = spec["max"]

    def check(value: Any, at: At, faults: Faults) -> None:
        if type(value) is str:
            if len(value) > most:
                faults.add(at, "too_long", f"at most {most} characters", limit=most, actual=len(value))
        elif type(value) not in (int, float, bool):
            faults.add_type(at, "a text, a number, true or false", value)

    return check


def _boolean(_: Spec) -> Check:
    def check(value: Any, at: At, faults: Faults) -> None:
        if type(value) is not bool:
            faults.add_type(at, "true or false", value)

    return check


def _choice(spec: Spec) -> Check:
    values = frozenset(spec["values"])

    def check(value: Any, at: At, faults: Faults) -> None:
        if type(value) is not str or value not in values:
            faults.add(at, "not_a_choice", " or ".join(map(repr, spec["values"])), actual=shown(value))

    return check


def _blocks(_: Spec) -> Check:
    """What each may be is checked over all of them, by `validation.py`."""

    def check(value: Any, at: At, faults: Faults) -> None:
        if type(value) is not list:
            faults.add_type(at, "a list of blocks", value)

    return check


_KINDS: Final[Mapping[str, Callable[[Spec], Check]]] = {
    "string": _string, "url": _url, "integer": _number, "number": _number, "boolean": _boolean,
    "scalar": _scalar, "choice": _choice, "json": json_field, "blocks": _blocks,
}  # fmt: skip


def _expected_field(key: str, fields: Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(key[:64], fields, n=1)
    return f"`{near[0]}`, perhaps" if near else f"one of {_some(fields)}"


def _expected(kind: Any, members: Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(kind[:64], members, n=1) if isinstance(kind, str) else []
    return f"{near[0]!r}, perhaps" if near else f"one of {_some(members)}"


def _some(names: Mapping[str, Any]) -> str:
    return ", ".join(sorted(names))
