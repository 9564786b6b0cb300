"""What is wrong with blocks: where (JSON pointer), what was expected, the limit, and what came."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from actors import limits

At: TypeAlias = "tuple[At, str | int] | None"
"""A place as a chain: its parent, and a key within. Cheap to make for every value; a pointer is made of few."""


@dataclass(frozen=True, slots=True)
class Fault:
    pointer: str
    """RFC 6901; `/0/text` is the text of the first block."""
    code: str
    expected: str
    limit: int | float | None = None
    actual: Any = None
    """A number where there is a limit; otherwise what came, in short."""

    @property
    def path(self) -> str:
        """The same place as the keys of `errors` have it: `0.text`."""
        return ".".join(_unescaped(part) for part in self.pointer.split("/")[1:])

    @property
    def sentence(self) -> str:
        return f"expected {self.expected}; got {self.actual}."


@dataclass(slots=True)
class Faults:
    """Collects faults; those beyond `most` are counted, not kept."""

    most: int
    found: list[Fault] = field(default_factory=list)
    count: int = 0

    def add(self, at: At, code: str, expected: str, *, limit: float | None = None, actual: Any = None) -> None:
        self.count += 1
        if len(self.found) < self.most:
            self.found.append(Fault(pointer(at), code, expected, limit, actual))

    def include(self, found: Iterable[Fault], under: At) -> None:
        """Those of a part, whose places are within `under`."""
        for fault in found:
            self.count += 1
            if len(self.found) < self.most:
                self.found.append(replace(fault, pointer=pointer(under) + fault.pointer))

    def add_type(self, at: At, expected: str, value: Any) -> None:
        self.add(at, "wrong_type", expected, actual=shown(value))


Check = Callable[[Any, At, Faults], None]
"""Adds what is wrong with a value, at its place."""


def by_pointer(found: Iterable[Fault]) -> dict[str, list[str]]:
    """Pointer → the sentences about it."""
    errors: dict[str, list[str]] = {}
    for fault in found:
        errors.setdefault(fault.pointer, []).append(fault.sentence)
    return errors


def pointer(at: At) -> str:
    parts: list[str] = []
    while at is not None:
        at, key = at
        parts.append(str(key).replace("~", "~0").replace("/", "~1"))
    return "".join(f"/{part}" for part in reversed(parts))


def _unescaped(part: str) -> str:
    return part.replace("~1", "/").replace("~0", "~")


def shown(value: Any) -> str:
    """A value in few words."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case str():
            return f"a text of {len(value)} characters" if len(value) > limits.FAULT_VALUE_CHARS else repr(value)
        case int() | float():
            return f"{value:.15g}" if -1e15 < value < 1e15 else "a huge number"
        case list():
            return f"a list of {len(value)}"
        case dict():
            return f"an object of type {shown(kind)}" if isinstance(kind := value.get("type"), str) else "an object"
    return "something that is not JSON"
