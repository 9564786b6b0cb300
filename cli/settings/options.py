"""Settings as flags of commands, and the flag that names a file of settings."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from cli.settings.declared import BY_KEY, SETTINGS

_FILE = "cli.settings.file"


def named_file() -> Path | None:
    """The file that `--config` named, on this command or one above."""
    context = click.get_current_context(silent=True)
    return context.meta.get(_FILE) if context else None


def _remember_file(context: click.Context, _: click.Parameter, path: Path | None) -> None:
    if path is not None:
        context.meta[_FILE] = path


_config_option = click.option(
    "--config", type=click.Path(path_type=Path, dir_okay=False), expose_value=False, is_eager=True, metavar="FILE",
    callback=_remember_file, help="File of settings, one NAME=value per line.  [default: .env, if it exists]",
)  # fmt: skip


def options(*keys: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Flags for these settings; all of them without a choice. They arrive as text or None, for `load`."""
    chosen = [BY_KEY[key] for key in keys] if keys else list(SETTINGS)

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for setting in reversed(chosen):
            default = setting.default or "none"
            shown = f"{setting.help}  [{setting.name}; {default}]"
            command = click.option(setting.flag, setting.key, default=None, metavar="TEXT", help=shown)(command)
        return _config_option(command)

    return decorate
