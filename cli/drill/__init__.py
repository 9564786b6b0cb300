"""`xp drill`: faults on a scratch server under load, and whether it kept its promises."""

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli import settings
from cli.terminal.console import json_option, print_json, print_table
from cli.terminal.numbers import Real

if TYPE_CHECKING:
    from cli.drill.running import Found

NAMES = ("kill", "full-disk", "slow-disk", "locked", "frozen", "clock")


@click.command("drill")
@click.argument("faults", nargs=-1, type=click.Choice(NAMES), metavar="[FAULT]...")
@click.option("--seconds", type=Real(0.1, 600), default=5.0, show_default=True, help="Length of a fault.")
@click.option("--kills", type=click.IntRange(1, 1000), default=5, show_default=True, help="Number of kills.")
@click.option("--copy", "is_copy", is_flag=True, help="Begin with a copy of the database of DATA_DIR.")
@settings.options("data_dir")
@json_option
def command(
    faults: tuple[str, ...], seconds: float, kills: int, is_copy: bool, as_json: bool, data_dir: str | None
) -> None:
    """Do harm to a scratch server under load, and check that it kept its promises; exit code 1 if it did not.

    The server is started in a temporary folder, with a secret of its own; no other server and no other data are
    touched. Faults: kill, full-disk, slow-disk, locked, frozen, clock; all of them without a choice. After each, no
    message that was acknowledged may be lost or doubled, subscribers must have got every event once, and the database
    must pass its check. A fault that this machine cannot do is left out, with the reason.

    Example: xp drill kill full-disk --seconds 10
    """
    import signal
    import tempfile

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the scratch server is ended in any case
    with tempfile.TemporaryDirectory(prefix="xp-drill-copy-") as folder:
        copy = _copied(Path(folder), data_dir) if is_copy else None
        found = asyncio.run(_collect(list(faults) or list(NAMES), seconds, kills, copy, as_json=as_json))
    if as_json:
        print_json([asdict(each) | {"holds": each.holds} for each in found])
    else:
        _show(found)
    click.get_current_context().exit(0 if all(each.holds for each in found) else 1)


def _copied(folder: Path, data_dir: str | None) -> Path:
    """Of the database alone, as `xp db backup` makes it. Raises `DatabaseProblem`."""
    from cli.opening.database import options_of
    from storage.database import FILE_NAME
    from storage.maintenance import copying

    copy = folder / FILE_NAME
    copying.backup(options_of(data_dir), copy, overwrite=False, progress=lambda _, __: None)
    return copy


async def _collect(names: list[str], seconds: float, kills: int, copy: Path | None, *, as_json: bool) -> list["Found"]:
    from cli.drill.running import drill

    found = []
    async for each in drill(names, seconds=seconds, kills=kills, copy=copy):
        found.append(each)
        if not as_json:
            click.echo(f"{each.fault}: {'left out' if each.left_out else 'held' if each.holds else 'FAILED'}", err=True)
    return found


def _show(found: list["Found"]) -> None:
    columns = ("fault", "what was done", "s", "acknowledged", "tried again", "lost", "doubled", "subscribers", "check")
    print_table(("", *columns), [_row(each) for each in found], right=("s", "acknowledged", "lost", "doubled"))


def _row(found: "Found") -> tuple[object, ...]:
    if found.left_out:
        return ("–", found.fault, f"left out: {found.did}", *("",) * 7)
    again = ", ".join(f"{code} {count:,}" for code, count in sorted((found.refused or {}).items()))
    wrong = found.missed + found.repeated + found.behind
    reader = "exact" if not wrong else f"missed {found.missed}, twice {found.repeated}, behind {found.behind}"
    damage = found.damage + found.out_of_order + found.tracebacks
    clean = "clean" if not damage else (
        f"damage {found.damage}, out of order {found.out_of_order}, tracebacks {found.tracebacks}"
    )  # fmt: skip
    return (
        "✓" if found.holds else "✗", found.fault, found.did, f"{found.seconds:g}", f"{found.acknowledged:,}", again,
        found.lost, found.doubled, reader, clean,
    )  # fmt: skip
