"""Classes that modules declare, found by their base."""

import pkgutil
import sys
from collections.abc import Iterator
from importlib import import_module

import actors


def declared(base: type) -> set[type]:
    """All that the core declares below `base`."""
    for module in pkgutil.walk_packages(actors.__path__, "actors."):
        import_module(module.name)
    return {kind for kind in _below(base) if kind.__module__.startswith("actors.")}


def _below(base: type) -> Iterator[type]:
    """Without what a dataclass with slots was made from."""
    for kind in base.__subclasses__():
        if getattr(sys.modules[kind.__module__], kind.__name__, None) is kind:
            yield kind
        yield from _below(kind)
