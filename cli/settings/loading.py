"""The settings in force: flags before environment before settings file before defaults."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import click

from cli.settings import file as settings_file
from cli.settings.declared import SETTINGS, Setting
from cli.settings.options import named_file


@dataclass(frozen=True)
class Settings:
    """Every setting, read and checked: `settings["port"]`."""

    values: Mapping[str, Any]
    sources: Mapping[str, str]
    """Key → flag, environment, the name of the settings file, or default."""
    texts: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Name → what was given, secrets too: the environment of a command with the same settings."""

    def __getitem__(self, key: str) -> Any:
        return self.values[key]


def load(flags: Mapping[str, str | None] | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """Flags before environment before settings file before defaults; what is empty is not set.

    Raises `click.ClickException` with one sentence for a wrong one.
    """
    environment = os.environ if environment is None else environment
    file = settings_file.read(named_file(), {setting.name for setting in SETTINGS})
    values: dict[str, Any] = {}
    texts: dict[str, str] = {}
    sources: dict[str, str] = {}
    for setting in SETTINGS:
        text, source = _choose(setting, flags or {}, environment, file)
        texts[setting.name] = text
        try:
            values[setting.key], sources[setting.key] = setting.read(_clean(text, setting)), source
        except ValueError as error:
            shown = "a secret" if setting.secret else repr(text)
            raise click.ClickException(f"{setting.name}: {error}; {shown} came from the {source}.") from None
    return Settings(values, sources, texts)


def _choose(
    setting: Setting, flags: Mapping[str, str | None], environment: Mapping[str, str], file: settings_file.Found
) -> tuple[str, str]:
    """What is empty is passed over: compose files and scripts leave `NAME=` where nothing was chosen."""
    places = (
        (flags.get(setting.key), "flag"),
        (environment.get(setting.name), "environment"),
        (file.values.get(setting.name), f"file {file.path}"),
    )
    return next(((text, source) for text, source in places if text and text.strip()), (setting.default, "default"))


def _clean(text: str, setting: Setting) -> str:
    """Raises `ValueError`. A secret is taken as it is, to the last blank."""
    if not text.isprintable():
        raise ValueError("expected text without control characters, in UTF-8")
    return text if setting.secret else text.strip()


def shown(chosen: Settings) -> dict[str, str | None]:
    """Name → value as people read it: secrets masked, None where nothing is set."""
    return {setting.name: _shown(setting, chosen[setting.key]) for setting in SETTINGS}


def _shown(setting: Setting, value: object) -> str | None:
    if value in (None, (), ""):
        return None
    if setting.secret:
        return "••••••••"
    if isinstance(value, bool):
        return "on" if value else "off"
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
