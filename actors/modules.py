"""Modules that are found by where they stand: what a new resource declares needs no line in a list."""

import pkgutil
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType


def import_all(package: ModuleType) -> Sequence[ModuleType]:
    """Every module in a package and below it, in the order of their names."""
    return [import_module(found.name) for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]


def import_named(package: ModuleType, name: str) -> Sequence[ModuleType]:
    """The modules of this name in the folders of a package: `reading` of each resource."""
    folders = [found for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}.") if found.ispkg]
    modules = [import_module(folder.name) for folder in folders]
    return [import_module(f"{folder.__name__}.{name}") for folder in modules if _has(folder, name)]


def _has(folder: ModuleType, name: str) -> bool:
    return any(found.name == name for found in pkgutil.iter_modules(folder.__path__))
