"""Fields that hold JSON of any shape, such as the specification of a chart: how deep and large, and nothing fetched."""

import json
from typing import Any

from actors import limits
from actors.resources.blocks.faults import At, Check, Faults, shown
from actors.resources.blocks.profile import Spec


def json_field(spec: Spec) -> Check:
    most, forbidden = spec["bytes"], frozenset(spec.get("without", ()))

    def check(value: Any, at: At, faults: Faults) -> None:
        if type(value) is not dict:
            faults.add_type(at, "an object", value)
        elif not is_shallow(value, at, faults):
            return
        elif (size := json_bytes(value)) > most:
            faults.add(at, "too_large", f"at most {most} bytes of JSON", limit=most, actual=size)
        elif forbidden:
            _without(value, at, faults, forbidden)

    return check


def _without(value: Any, at: At, faults: Faults, forbidden: frozenset[str]) -> None:
    """Data stand in the block itself: what is fetched from an address tells its owner who reads."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in forbidden:
                faults.add((at, key), "dangerous_url", f"no `{key}`: data stand in the block", actual=shown(inner))
            elif key == "sequence" and isinstance(inner, dict) and (count := _count(inner)) > limits.CHART_SEQUENCE:
                most = limits.CHART_SEQUENCE
                faults.add((at, key), "too_many", f"a sequence of at most {most} numbers", limit=most, actual=count)
            else:
                _without(inner, (at, key), faults, forbidden)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            _without(inner, (at, index), faults, forbidden)


def _count(sequence: dict[str, Any]) -> int:
    """Numbers that a chart would make by itself, and a reader's browser with it."""
    start, stop, step = sequence.get("start", 0), sequence.get("stop", 0), sequence.get("step", 1)
    if not all(isinstance(each, int | float) for each in (start, stop, step)):
        return 0
    try:
        return int(min(abs((stop - start) / step), 2**53))
    except ArithmeticError:  # no step, or numbers beyond what a float holds
        return 2**53


def is_shallow(value: Any, at: At, faults: Faults) -> bool:
    """Whether it may be walked through; where not, that is a fault."""
    depth = _depth(value, limits.BLOCK_DEPTH + 1)
    if depth > limits.BLOCK_DEPTH:
        faults.add(at, "too_deep", f"at most {limits.BLOCK_DEPTH} levels", limit=limits.BLOCK_DEPTH, actual="more")
    return depth <= limits.BLOCK_DEPTH


def _depth(value: Any, left: int) -> int:
    if left == 0 or not isinstance(value, dict | list):
        return 0
    inside = value.values() if isinstance(value, dict) else value
    return 1 + max((_depth(inner, left - 1) for inner in inside if isinstance(inner, dict | list)), default=0)


def json_bytes(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogatepass"))
