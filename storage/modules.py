"""Modules that are found by where they stand, not by a list: each names the commands and queries that it is for."""

import pkgutil
from importlib import import_module
from types import ModuleType


def import_all(package: ModuleType) -> None:
    """Every module in a package and below it."""
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        import_module(module.name)
