"""Blocks made from a profile: for each shape the smallest valid one, and for each limit one over it."""

from collections.abc import Iterator
from typing import Any

from actors.identifiers import new_id
from actors.resources.blocks.profile import Profile, Spec

FORMATS = {"date": "2026-08-01", "time": "09:30", "instant": "2026-08-01T09:30:00Z", "number": "7", "color": "#ff8800"}


def shape(profile: Profile, name: str, *more: str) -> dict[str, Any]:
    """The smallest valid one, with the optional fields that are named."""
    found = profile.shapes[name]
    fields = found["fields"]
    wanted = {field for field, spec in fields.items() if spec.get("required")} | set(more)
    for rule in ("any_of", "one_of"):
        if rule in found and not wanted & set(found[rule]):
            wanted.add(found[rule][0])
    made = {} if found.get("typeless") else {"type": profile.type_of(name)}
    made |= {field: value(profile, fields[field]) for field in fields if field in wanted}
    if name == "table":
        made["rows"] = [[{"type": "raw_text", "text": "a"}]]
    if "axis_config" in made:
        made["axis_config"]["categories"] = ["x"]
    return made


def value(profile: Profile, spec: Spec) -> Any:  # noqa: C901 - a case for each kind
    kind = spec["kind"]
    match kind:
        case "string":
            return new_id() if spec.get("format") == "id" else FORMATS.get(spec.get("format", ""), "x")
        case "url":
            return "https://example.com/a"
        case "integer" | "number":
            return spec.get("min", 0)
        case "boolean":
            return False
        case "choice":
            return spec["values"][0]
        case "json":
            return {}
        case "object":
            return shape(profile, spec["of"])
        case "text":
            return {"type": spec["of"][0], "text": "x"}
        case "array":
            return [value(profile, spec["of"]) for _ in range(max(spec["min"], 1))]
        case "one":
            return shape(profile, next(iter(profile.members(spec).values())))
    raise AssertionError(kind)


def over(profile: Profile, spec: Spec) -> Iterator[tuple[str, Any, int, int]]:
    """(pointer within the field, a value one over a limit, that limit, the actual that is told)."""
    kind, most, least = spec["kind"], spec.get("max"), spec.get("min")
    if kind == "text":
        yield "/text", {"type": spec["of"][0], "text": "x" * (most + 1)}, most, most + 1
    elif kind == "string" and most is not None:
        yield "", "x" * (most + 1), most, most + 1
    elif kind == "url":
        yield "", "https://example.com/".ljust(most + 1, "x"), most, most + 1
    elif kind in ("integer", "number"):
        yield from (
            ("", limit + step, limit, limit + step) for limit, step in ((most, 1), (least, -1)) if limit is not None
        )
    elif kind == "array":
        item = value(profile, spec["of"])
        yield from [("", [item] * (most + 1), most, most + 1)] if most is not None else []
        yield from [("", [item] * (least - 1), least, least - 1)] if least else []
        yield from ((f"/0{pointer}", [made], *told) for pointer, made, *told in over(profile, spec["of"]))
    elif kind == "json":
        yield "", {"k": "x" * (spec["bytes"] - 7)}, spec["bytes"], spec["bytes"] + 1


def placed(profile: Profile, name: str, made: Any) -> tuple[list[Any], str]:
    """A block that holds a shape, and the pointer to it: the shortest way from any block down."""
    ways: list[tuple[str, list[tuple[str, str, str]]]] = [(block, []) for block in profile.families["block"]]
    seen = set(profile.families["block"])
    while ways:
        here, path = ways.pop(0)
        if here == name:
            return _wrapped(profile, path, made)
        for field, spec in profile.shapes[here]["fields"].items():
            for below, steps in _below(profile, spec):
                if below not in seen:
                    seen.add(below)
                    ways.append((below, [*path, (here, field, steps)]))
    raise AssertionError(f"no block holds {name}")


def _below(profile: Profile, spec: Spec) -> Iterator[tuple[str, str]]:
    match spec["kind"]:
        case "array":
            yield from ((name, f"/0{steps}") for name, steps in _below(profile, spec["of"]))
        case "object":
            yield spec["of"], ""
        case "one":
            yield from ((name, "") for name in profile.members(spec).values())


def _wrapped(profile: Profile, path: list[tuple[str, str, str]], made: Any) -> tuple[list[Any], str]:
    pointer = ""
    for holder, field, steps in reversed(path):
        for _ in range(steps.count("/0")):
            made = [made]
        outer = shape(profile, holder, field)
        if isinstance(made, list) and isinstance(outer.get(field), list):
            made = made + outer[field][1:]
        outer[field] = made
        if any(field in profile.shapes[holder].get(rule, ()) for rule in ("one_of",)):
            for other in profile.shapes[holder]["one_of"]:
                if other != field:
                    outer.pop(other, None)
        made = outer
        pointer = f"/{field}{steps}{pointer}"
    return [made], f"/0{pointer}"
