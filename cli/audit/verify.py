"""`xp audit verify`."""

import re
from typing import TYPE_CHECKING, Any

import click

from cli.opening.database import data_dir_option, reading
from cli.terminal.console import count, json_option, print_json
from cli.terminal.ending import interruptible
from cli.terminal.times import moment

if TYPE_CHECKING:
    from storage.resources.audit.noted_head import NotedHead, State
    from storage.resources.audit.reading import Verdict


def _head(ctx: click.Context, param: click.Parameter, value: str | None) -> "NotedHead | None":
    from storage.resources.audit.noted_head import NotedHead

    if value is None:
        return None
    found = re.fullmatch(r"([0-9a-f]{64})(?::([1-9][0-9]{0,14}))?", value.lower())
    if found is None:
        raise click.BadParameter(
            "expected the 64 hexadecimal digits that this command prints, and the number after them; "
            f"got {value!r}."
        )  # fmt: skip
    return NotedHead(found[1], int(found[2]) if found[2] else None)


@click.command("verify")
@click.option(
    "--head", default=None, metavar="HASH:NUMBER", callback=_head,
    help="A head noted earlier: also checks that it is still in the chain, to detect entries cut off at the end.",
)  # fmt: skip
@data_dir_option
@json_option
@click.pass_context
def command(ctx: click.Context, head: "NotedHead | None", data_dir: str | None, as_json: bool) -> None:
    """Check that no entry of the audit log was changed or removed; exit code 1 otherwise.

    Prints the number of entries, and the head: the hash and the number of the newest. Note it where users who can write
    to the database cannot change it, and give it to --head next time. A head that AUDIT_DAYS has removed since is no
    failure; one without its number cannot be distinguished from one that was cut off.

    Example: xp audit verify
    """
    from storage.resources.audit import noted_head
    from storage.resources.audit import reading as audit
    from storage.schema import check as schema_check

    with interruptible(), reading(data_dir) as database:
        verdict = audit.verify(database)
        changed = schema_check.differences(database)
        state = None if head is None else noted_head.state(database, head, verdict.removal)
    if as_json:
        print_json(_document(verdict, state))
    else:
        _tell(verdict, head, state)
    for sentence in changed:
        click.echo(f"Triggers may change what is written: {sentence}", err=True)
    ctx.exit(0 if verdict.broken_at is None and state in (None, "in_chain", "removed") and not changed else 1)


def _document(verdict: "Verdict", state: "State | None") -> dict[str, Any]:
    from server.api.render import iso_time

    whole, removal = verdict.broken_at is None, verdict.removal
    return {
        "entries": verdict.entries,
        "head": verdict.head if whole else None,
        "number": verdict.number if whole else None,
        "broken_at": verdict.broken_at,
        "has_noted_head": None if state in (None, "removed") else state == "in_chain",
        "noted_head": state,
        "removed": {"entries": removal.entries, "until": iso_time(removal.until), "at": iso_time(removal.at)}
        if removal.entries
        else None,
    }


def _tell(verdict: "Verdict", head: "NotedHead | None", state: "State | None") -> None:
    removal = verdict.removal
    if verdict.broken_at is not None:
        click.echo(
            f"Broken at entry {verdict.broken_at}, number {verdict.number:,}: it does not match the previous one. "
            "One of them was changed, or entries between them are missing."
        )
        return
    click.echo(f"{count(verdict.entries, 'entry', 'entries')}; each matches the previous one.")
    if removal.entries:
        click.echo(
            f"AUDIT_DAYS has removed {count(removal.entries, 'entry', 'entries')} before them, the newest of "
            f"{moment(removal.until / 1000)}; the last time on {moment(removal.at / 1000)}."
        )
    click.echo(f"head {verdict.head}:{verdict.number}" if verdict.head else "head –")
    if head is not None and state is not None:
        click.echo(
            _SENTENCES[state].format(head=head, at=moment(removal.at / 1000), until=moment(removal.until / 1000))
        )
        if state == "missing" and head.number is None and removal.entries:
            click.echo(
                "Or AUDIT_DAYS has removed it, which only its number could show: note HASH:NUMBER, as printed above."
            )


_SENTENCES: "dict[State, str]" = {
    "in_chain": "The noted head {head} is in the chain: no entry up to there was changed.",
    "removed": "The noted head {head} has been removed by AUDIT_DAYS, with all entries up to {until}; the last time "
    "on {at}. A newer noted head shows whether the entries after it were changed.",
    "moved": "The noted head {head} is in the chain under another number: entries before it were cut off or put in.",
    "missing": "The noted head {head} is not in the chain: entries were cut off or rewritten.",
}
