"""`xp doctor`: are this machine, the folder and the database fit to serve? What is not comes with what to do."""

from collections.abc import Callable, Iterator
from dataclasses import asdict

import click

from cli import settings
from cli.doctor import database, folder, machine, services
from cli.doctor.check import Check
from cli.settings import Settings
from cli.terminal.console import json_option, print_json, print_table


@click.command("doctor")
@settings.options("data_dir", "host", "port")
@json_option
def command(as_json: bool, **flags: str | None) -> None:
    """Check the machine, the settings and the data; exit code 1 if a check fails.

    Settings that work but weaken the server come with a hint (!), which does not change the exit code.

    Example: xp doctor --data-dir ./data
    """
    chosen = settings.load(flags)
    looks = [look for looking in CHECKS for look in looking(chosen)]
    if as_json:
        print_json([asdict(look) for look in looks])
    else:
        rows = ((look.mark, look.name, look.found, look.shown_advice) for look in looks)
        print_table(("", "what", "found", "what to do"), rows)
    click.get_current_context().exit(0 if all(look.good for look in looks) else 1)


def _settings(chosen: Settings) -> Iterator[Check]:
    from cli.settings.hints import hints

    found = list(hints(chosen))
    for hint in found:
        yield Check(hint.setting, True, hint.found, hint.advice, hint=True)
    if not found:
        yield Check("settings", True, "nothing that weakens security")


CHECKS: tuple[Callable[[Settings], Iterator[Check]], ...] = (
    machine.versions, machine.open_files, folder.usable, services.file_store, services.scanner,
    services.backups, folder.private,
    folder.secret, _settings, database.checked, machine.port,
)  # fmt: skip
