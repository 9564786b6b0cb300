"""`xp config`: the settings in force, and where each comes from."""

import click

from cli import settings
from cli.opening.database import data_dir_option
from cli.serving import published_settings
from cli.settings import Settings
from cli.terminal.console import json_option, print_json, print_table


@click.command("config")
@data_dir_option
@json_option
def command(data_dir: str | None, as_json: bool) -> None:
    """Show every setting, its value and its source.

    If a server runs on the data folder, its values are shown, too: it may have been started with others.
    Secrets are masked. `xp serve` takes all settings as flags as well.

    Example: PORT=9000 xp config
    """
    chosen = settings.load({"data_dir": data_dir})
    server = published_settings.settings_of(chosen["data_dir"])
    if as_json:
        print_json({name: _entry(name, chosen, server) for name in settings.shown(chosen)})
    else:
        _print(chosen, server)


def _entry(name: str, chosen: Settings, server: published_settings.Shown | None) -> dict[str, str | None]:
    entry = {"value": settings.shown(chosen)[name], "source": chosen.sources[name.lower()]}
    return entry if server is None else entry | {"server": server.get(name)}


def _print(chosen: Settings, server: published_settings.Shown | None) -> None:
    here = settings.shown(chosen)
    rows = [(name, value, chosen.sources[name.lower()]) for name, value in here.items()]
    if server is None:
        print_table(("setting", "value", "from"), rows)
        return
    beside = [(*row, "the same" if server.get(row[0]) == row[1] else server.get(row[0])) for row in rows]
    print_table(("setting", "value", "source", "running server"), beside)
