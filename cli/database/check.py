"""`xp db check`."""

import click

from cli.console import count, interruptible, json_option, plain, print_json, progress_bar
from cli.store import database_options, reading


@click.command("check")
@database_options
@json_option
@click.pass_context
def command(ctx: click.Context, data_dir: str | None, as_json: bool) -> None:
    """Check the invariants of the database; exit code 1 if one is violated.

    The file, references, logs without gaps, counts, numbers, read markers, empty tombstones.

    Example: xp db check
    """
    from storage.maintenance import integrity

    checks, findings = 0, []
    with interruptible(), progress_bar("checking") as progress, reading(data_dir) as database:
        for checks, (_, finding) in enumerate(integrity.check(database), 1):
            progress(checks, integrity.CHECKS)
            if finding is not None:
                findings.append(finding)
    if as_json:
        print_json([{"check": f.check, "count": f.count, "examples": f.examples} for f in findings])
    for finding in () if as_json else findings:
        click.echo(f"{finding.check}: {count(finding.count, 'finding')}")
        for example in finding.examples:
            click.echo(f"    {plain(example)}")
        if finding.count > len(finding.examples):
            click.echo(f"    … and {finding.count - len(finding.examples):,} more")
    if not as_json and not findings:
        click.echo(f"All {checks} checks passed.")
    ctx.exit(1 if findings else 0)
