"""`xp config`: what is in force, and where it comes from."""

import click

from cli import settings
from cli.console import json_option, print_json, print_table
from cli.settings import Setting
from cli.store import data_dir_option


@click.command("config")
@data_dir_option
@json_option
def command(data_dir: str | None, as_json: bool) -> None:
    """Show every setting, its value and where it comes from.

    Secrets are masked. `xp serve` takes all of them as flags as well.

    Example: PORT=9000 xp config
    """
    chosen = settings.load({"data_dir": data_dir})
    found = [(each.name, _shown(each, chosen[each.key]), chosen.sources[each.key]) for each in settings.SETTINGS]
    if as_json:
        print_json({name: {"value": value, "source": source} for name, value, source in found})
    else:
        print_table(("setting", "value", "from"), found)


def _shown(setting: Setting, value: object) -> str | None:
    if value is None or value == ():
        return None
    if setting.secret:
        return "••••••••"
    if isinstance(value, bool):
        return "on" if value else "off"
    return ",".join(value) if isinstance(value, tuple) else str(value)
