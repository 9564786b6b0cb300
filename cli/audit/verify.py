"""`xp audit verify`."""

import re
from typing import TYPE_CHECKING, Any

import click

from cli.opening.database import data_dir_option, reading
from cli.terminal.console import count, interruptible, json_option, print_json

if TYPE_CHECKING:
    from storage.resources.audit.reading import Verdict


def _hash(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    if value is not None and not re.fullmatch(r"[0-9a-fA-F]{64}", value):
        raise click.BadParameter(f"expected the 64 hexadecimal digits that this command prints; got {value!r}.")
    return value.lower() if value is not None else None


@click.command("verify")
@click.option(
    "--head", default=None, metavar="HASH", callback=_hash,
    help="A head noted earlier: also checks that it is still in the chain, to detect entries cut off at the end.",
)  # fmt: skip
@data_dir_option
@json_option
@click.pass_context
def command(ctx: click.Context, head: str | None, data_dir: str | None, as_json: bool) -> None:
    """Check that no entry of the audit log was changed or removed; exit code 1 otherwise.

    Prints the number of entries, and the head: the hash of the newest. Note it where users who can write to the
    database cannot change it, and give it to --head next time.

    Example: xp audit verify
    """
    from storage.resources.audit import reading as audit
    from storage.schema import check as schema_check

    with interruptible(), reading(data_dir) as database:
        verdict = audit.verify(database)
        changed = schema_check.differences(database)
        has_head = None if head is None else audit.has(database, head)
    if as_json:
        print_json(_document(verdict, has_head))
    else:
        _tell(verdict, head, has_head)
    for sentence in changed:
        click.echo(f"Triggers may change what is written: {sentence}", err=True)
    ctx.exit(0 if verdict.broken_at is None and has_head is not False and not changed else 1)


def _document(verdict: "Verdict", has_head: bool | None) -> dict[str, Any]:
    whole = verdict.broken_at is None
    return {
        "entries": verdict.entries,
        "head": verdict.head if whole else None,
        "broken_at": verdict.broken_at,
        "has_noted_head": has_head,
    }


def _tell(verdict: "Verdict", head: str | None, has_head: bool | None) -> None:
    if verdict.broken_at is not None:
        click.echo(
            f"Broken at entry {verdict.broken_at}, number {verdict.entries:,}: it does not match the previous one. "
            "One of them was changed, or entries between them are missing."
        )
        return
    click.echo(f"{count(verdict.entries, 'entry', 'entries')}; each matches the previous one.")
    click.echo(f"head {verdict.head or '–'}")
    if has_head is not None:
        click.echo(
            f"The noted head {head} is in the chain: no entry up to there was changed."
            if has_head
            else f"The noted head {head} is not in the chain: entries were cut off or rewritten."
        )
