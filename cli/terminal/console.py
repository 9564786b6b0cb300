"""How commands print: tables for people, JSON for scripts, progress on stderr."""

import contextlib
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console

Progress = Callable[[int, int], None]
"""(done, in all)"""

_TURNS_TEXT = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def json_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")(command)


def print_json(value: object) -> None:
    import orjson

    click.echo(orjson.dumps(value, default=_raw, option=orjson.OPT_INDENT_2))


def print_json_line(value: object) -> None:
    import orjson

    click.echo(orjson.dumps(value, default=_raw))


def _raw(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, right: Sequence[str] = ()) -> None:
    """`right` names the columns of numbers. An `id` is to be copied, so a narrow terminal never breaks it."""
    from rich.table import Table
    from rich.text import Text

    table = Table(header_style="bold")
    for column in columns:
        table.add_column(
            Text(plain(column)), justify="right" if column in right else "left", overflow="fold", no_wrap=column == "id"
        )
    for row in rows:
        table.add_row(*(Text(plain(cell)) for cell in row))
    console().print(table)


def print_facts(facts: Iterable[tuple[str, object]]) -> None:
    """A name and a value on each line."""
    known = [(name, plain(value)) for name, value in facts]
    width = max(len(name) for name, _ in known)
    for name, value in known:
        click.echo(f"{name:{width}}  {value}")


def console() -> "Console":
    """Of stdout as it is now; in a file or a pipe nothing is wrapped."""
    from rich.console import Console

    return Console(file=sys.stdout, width=None if sys.stdout.isatty() else 10_000, highlight=False, emoji=False)


def plain(value: object) -> str:
    """On one line, without what would move a terminal's cursor or turn its text around."""
    text = "" if value is None else str(value)
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_visible, text.replace("\r\n", "\n")))


def _visible(character: str) -> str:
    if character in "\n\t":
        return " "
    if character in _TURNS_TEXT:
        return ""
    return "\ufffd" if unicodedata.category(character) in ("Cc", "Cs") else character


def size(count: int | None) -> str:
    """Bytes as people read them."""
    if count is None:
        return "?"
    amount = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TiB"


def short_time(milliseconds: int | None) -> str:
    """To the minute, for a table; JSON has all of it."""
    from server.api.render import iso_time

    return "–" if milliseconds is None else iso_time(milliseconds)[:16].replace("T", " ")


def count(number: int, noun: str, many: str | None = None) -> str:
    """`1 message`, `2,000 messages`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {many or f'{noun}s'}"


@contextlib.contextmanager
def progress_bar(what: str) -> Iterator[Progress]:
    """A bar on stderr while inside, where stderr is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    shown = Console(file=sys.stderr)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=shown, transient=True, disable=not shown.is_terminal) as bar:
        task = bar.add_task(what, total=None)

        def tell(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield tell
