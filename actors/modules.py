"""Modules that are found by where they stand: what a new resource declares needs no line in a list."""

import pkgutil
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType
from typing import TypeVar

T = TypeVar("T")


def import_all(package: ModuleType) -> Sequence[ModuleType]:
    """Every module in a package and below it, in the order of their names."""
    return [import_module(found.name) for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]


def import_named(package: ModuleType, name: str) -> Sequence[ModuleType]:
    """The modules of this name in the folders of a package: `operations` of each resource. Modules that stand in no
    folder are among them: a small resource is one file."""
    found = pkgutil.iter_modules(package.__path__, f"{package.__name__}.")
    names = [f"{module.name}.{name}" if module.ispkg else module.name for module in found if _has(module, name)]
    return [import_module(name) for name in names]


def import_ending(package: ModuleType, ending: str) -> Sequence[ModuleType]:
    """The modules directly in a package whose names end so."""
    found = pkgutil.iter_modules(package.__path__)
    return [import_module(f"{package.__name__}.{module.name}") for module in found if module.name.endswith(ending)]


def declared_in(package: ModuleType, kind: type[T]) -> tuple[T, ...]:
    """The module-level values of a class, in all modules of a package; each once, also where others import it."""
    values = (value for module in import_all(package) for value in vars(module).values())
    return tuple({id(value): value for value in values if isinstance(value, kind)}.values())


def _has(module: pkgutil.ModuleInfo, name: str) -> bool:
    if not module.ispkg:
        return True
    path = import_module(module.name).__path__
    return any(found.name == name for found in pkgutil.iter_modules(path))
