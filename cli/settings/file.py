"""A file of settings: `.env` in the current folder, or the one that `--config` names; a line `NAME=value` each."""

import difflib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import click
from dotenv.parser import Binding, parse_stream

DEFAULT = Path(".env")


@dataclass(frozen=True, slots=True)
class Found:
    path: Path
    values: Mapping[str, str]


def read(named: Path | None, known: Collection[str]) -> Found:
    """Raises `click.ClickException`. `.env` may hold variables of other programs; a named file holds only settings."""
    path = named or DEFAULT
    if named is None and not path.is_file():
        return Found(path, {})
    values = {binding.key: binding.value or "" for binding in _bindings(path) if binding.key}
    if named is not None:
        _must_be_known(path, values, known)
    return Found(path, values)


def _bindings(path: Path) -> list[Binding]:
    try:
        with path.open(encoding="utf-8-sig") as file:
            bindings = list(parse_stream(file))
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{path}: expected text in UTF-8; byte {error.start} is none.") from None
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror}; it was to hold settings.") from None
    for binding in bindings:
        if binding.error or (binding.key and binding.value is None):
            raise click.ClickException(f"{path}, line {binding.original.line}: expected NAME=value.")
    return bindings


def _must_be_known(path: Path, names: Collection[str], known: Collection[str]) -> None:
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name.upper(), known, n=1)
            hint = f"; did you mean {near[0]}?" if near else "; `xp config` lists all of them."
            raise click.ClickException(f"{path}: there is no setting {name}{hint}")
