"""`xp blocks`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.terminal import stdin
from cli.terminal.console import json_option, plain, print_json
from cli.terminal.group import Entries, LazyGroup

if TYPE_CHECKING:
    from actors.resources.blocks.fitting import Fit

COMMANDS: Entries = {
    "check": ("cli.blocks:check", "Check the blocks in a JSON file: a list, or an object with `blocks`")
}


@click.group("blocks", cls=LazyGroup, entries=COMMANDS)
def command() -> None:
    """Check blocks of messages, without a server.

    Example: xp blocks check message.json
    """


@click.command("check")
@click.argument("file")
@click.option("--profile", default=None, metavar="NAME", help="Profile of limits.  [default: slack-2026-08]")
@click.option(
    "--fit", type=click.Choice(["truncate", "split"]), default=None,
    help="Print the blocks as the server would take them, shortened or divided; what was changed goes to stderr.",
)  # fmt: skip
@json_option
def check(file: str, profile: str | None, fit: "Fit | None", as_json: bool) -> None:
    """Check the blocks in a JSON file: a list, or an object with `blocks`. FILE - reads stdin.

    Prints every fault with its JSON pointer; the exit code is 1 where there is one.

    Example: xp blocks check message.json
    """
    from actors.resources.blocks import profile as profiles
    from actors.resources.blocks import validation

    name = profile or profiles.DEFAULT
    if name not in profiles.names():
        raise click.BadParameter(
            f"expected one of {', '.join(profiles.names())}; got {name!r}.", param_hint="--profile"
        )
    blocks = _blocks(file)
    if fit is not None:
        blocks = _fitted(blocks, fit, name)
    found = validation.faults(blocks, name)
    if fit is not None and not found:
        print_json(blocks)
        return
    if as_json:
        print_json([{"pointer": fault.pointer, "code": fault.code, "sentence": fault.sentence} for fault in found])
    else:
        for fault in found:
            click.echo(plain(f"{fault.pointer or '/'}: {fault.sentence}"))
        click.echo(f"{len(found)} faults." if found else f"Valid by the profile {name}.")
    if found:
        raise click.exceptions.Exit(1)


def _fitted(blocks: Any, fit: "Fit", profile: str) -> Any:
    from actors.resources.blocks import fitting

    made, changes = fitting.fitted(blocks, fit, profile)
    for change in changes:
        click.echo(plain(f"{change.pointer or '/'}: {change.action} from {change.actual} to {change.limit}."), err=True)
    return made


def _blocks(file: str) -> Any:
    try:
        value = json.loads(stdin.read_text() if file == "-" else Path(file).read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise click.ClickException(f"{file}: expected JSON in UTF-8: {error}.") from None
    return value["blocks"] if isinstance(value, dict) and "blocks" in value else value
