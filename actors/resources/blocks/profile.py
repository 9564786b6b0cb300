"""A profile says which blocks there are, what they hold, and every limit. It is data: a file in `profiles/`.

`families` name sets of shapes; a `shape` has `fields`, and rules over several of them. Another profile is another file.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

DEFAULT: Final = "slack-2026-08"
OWN: Final = "experience-1"
"""Types of our own: part of every profile."""

Spec = Mapping[str, Any]
"""Of one field: its `kind`, its limits, whether it is `required`."""


@dataclass(frozen=True)
class Profile:
    name: str
    about: str
    blocks: int
    """In one message."""
    markdown_characters: int
    """Of all `markdown` blocks of one message together."""
    families: Mapping[str, tuple[str, ...]]
    shapes: Mapping[str, Mapping[str, Any]]

    def type_of(self, shape: str) -> str:
        """What stands in the `type` of a shape: `element.image` is an `image` where elements stand."""
        return shape.rpartition(".")[2]

    def members(self, spec: Spec) -> dict[str, str]:
        """`type` → shape, of those that a field of kind `one` takes."""
        names = self.families[spec["family"]] if "family" in spec else spec["of"]
        return {self.type_of(name): name for name in names}


def of(data: Mapping[str, Any], own: Mapping[str, Any]) -> Profile:
    families = {
        name: (*data["families"].get(name, ()), *own["families"].get(name, ()))
        for name in {**data["families"], **own["families"]}
    }
    shapes = {**data["shapes"], **own["shapes"]}
    for name, more in own.get("extends", {}).items():
        shapes[name] = _extended(shapes[name], more)
    return Profile(
        name=data["name"],
        about=data["about"],
        blocks=data["blocks"],
        markdown_characters=data["markdown_characters"],
        families=families,
        shapes=shapes,
    )


def _extended(shape: Mapping[str, Any], more: Mapping[str, Any]) -> Mapping[str, Any]:
    """With fields and rules of our own."""
    return {
        **shape,
        "fields": {**shape["fields"], **more["fields"]},
        "ordered": [*shape.get("ordered", ()), *more.get("ordered", ())],
    }


def _read(name: str) -> Any:
    return json.loads(resources.files(__package__).joinpath("profiles", f"{name}.json").read_bytes())


@cache
def names() -> tuple[str, ...]:
    found = (path.name.removesuffix(".json") for path in resources.files(__package__).joinpath("profiles").iterdir())
    return tuple(sorted(name for name in found if name != OWN))


@cache
def load(name: str = DEFAULT) -> Profile:
    """Raises `KeyError` for a profile that there is none of."""
    if name not in names():
        raise KeyError(name)
    return of(_read(name), _read(OWN))
