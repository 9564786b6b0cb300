"""`xp db info`, `tables` and `query`."""

import itertools
from typing import TYPE_CHECKING, Any

import click

from actors import limits
from cli.opening.database import database_options, options_of, reading
from cli.terminal.console import count, json_option, print_facts, print_json, print_table, size
from cli.terminal.ending import interruptible
from cli.terminal.numbers import Number

if TYPE_CHECKING:
    from storage.maintenance.query import Answer


@click.command("info")
@database_options
@json_option
def info_command(data_dir: str | None, as_json: bool) -> None:
    """Show path, size and contents of the database.

    Example: xp db info --json
    """
    from server.api.render import maybe_time
    from storage.maintenance import inspection

    with interruptible(), reading(data_dir) as database:
        found = inspection.information(database, options_of(data_dir).path)
    found["newest"] = maybe_time(found["newest"])
    if as_json:
        print_json(found)
        return
    rows = found.pop("rows")
    print_facts(
        [
            ("file", found["path"]),
            ("size", f"{size(found['size'])}, of which {size(found['free'])} are free"),
            ("WAL", size(found["wal_size"])),
            ("SQLite", f"{found['sqlite']}, journal mode {found['journal_mode']}"),
            ("log", f"epoch {found['epoch']}, position {found['position']}"),
            ("newest event", found["newest"] or "–"),
            *((name, f"{number:,}") for name, number in rows.items()),
        ]
    )


@click.command("tables")
@database_options
@json_option
def tables_command(data_dir: str | None, as_json: bool) -> None:
    """List the tables with their rows and sizes, indexes included.

    Example: xp db tables
    """
    from storage.maintenance import inspection

    with interruptible(), reading(data_dir) as database:
        found = inspection.tables(database)
    if as_json:
        print_json(found)
        return
    rows = ((table["table"], f"{table['rows']:,}", size(table["bytes"])) for table in found)
    print_table(("table", "rows", "size"), rows, right=("rows", "size"))


@click.command("query")
@click.argument("sql")
@click.option(
    "--limit", default=None, type=Number(0), metavar="N",
    help=f"Largest number of rows; 0 for all.  [default: {limits.XP_ROWS}; all with --json]",
)  # fmt: skip
@database_options
@json_option
def query_command(sql: str, limit: int | None, data_dir: str | None, as_json: bool) -> None:
    """Run an SQL query, read-only: statements that write are refused.

    Example: xp db query "SELECT type, count(*) FROM event GROUP BY type"
    """
    from storage.maintenance import query

    wanted = limit if limit is not None else (0 if as_json else limits.XP_ROWS)
    with interruptible(), reading(data_dir) as database:
        answer = query.ask(database, sql)
        rows, more = _some(answer, wanted)
    if as_json:
        keys = _keys(answer.columns)
        print_json([dict(zip(keys, row, strict=True)) for row in rows])
    else:
        print_table(answer.columns, (["NULL" if cell is None else _cell(cell) for cell in row] for row in rows))
    if more:
        click.echo(f"Only the first {count(wanted, 'row')} are shown; --limit 0 shows all.", err=True)


def _keys(columns: tuple[str, ...]) -> list[str]:
    """Columns of one name become `name`, `name:2` and so on."""
    return [
        f"{name}:{before + 1}" if (before := columns[:place].count(name)) else name
        for place, name in enumerate(columns)
    ]


def _some(answer: "Answer", wanted: int) -> tuple[list[tuple[Any, ...]], bool]:
    """That many rows (0: all), and whether there are more."""
    if not wanted:
        return list(answer.rows), False
    rows = list(itertools.islice(answer.rows, wanted + 1))
    return rows[:wanted], len(rows) > wanted


def _cell(value: Any) -> Any:
    return f"x'{value.hex()}'" if isinstance(value, bytes) else value
