"""Traces as the settings want them."""

import os

import click

from cli.settings import Settings
from cli.settings.declared import SETTINGS
from server.telemetry.tracing import opening
from server.telemetry.tracing.opening import Tracing


def open_traces(chosen: Settings, version: str) -> Tracing | None:
    """None: nothing is to be traced. Raises `click.ClickException`."""
    _tell_sdk(chosen)
    try:
        return opening.open_tracing(version) if opening.are_wanted(os.environ) else None
    except (opening.MissingExtra, ValueError) as error:
        raise click.ClickException(f"{error}.") from error


def _tell_sdk(chosen: Settings) -> None:
    """The SDK reads the environment only: flags and the settings file are for it, too."""
    for setting in SETTINGS:
        if setting.name.startswith("OTEL_") and chosen.sources[setting.key] != "default":
            os.environ[setting.name] = chosen.texts[setting.name]
