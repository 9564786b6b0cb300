"""Groups of commands that are imported when they are called, so that help and completion are quick; and the one place
where what went wrong becomes a sentence."""

import contextlib
import errno
import gc
import importlib
import os
import sys
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

import click
from click.shell_completion import CompletionItem

from cli.terminal import ending, streams

SERVE = "serve"
Entries = Mapping[str, tuple[str, str]]
"""Command → (`module:attribute`, what it does in short)."""


class LazyGroup(click.Group):
    def __init__(self, *args: Any, entries: Entries, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.entries = entries

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.entries:
            return None
        module, _, name = self.entries[cmd_name][0].partition(":")
        command: click.Command = getattr(_import(module), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as error:
            raise click.exceptions.NoSuchCommand(error.command_name, possibilities=self.entries, ctx=ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, short) for name, (_, short) in self.entries.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        own = [CompletionItem(n, help=short) for n, (_, short) in self.entries.items() if n.startswith(incomplete)]
        return own + click.Command.shell_complete(self, ctx, incomplete)


def _import(module: str) -> ModuleType:
    """What modules define stays: to look for cycles in it after each 700 new objects takes half a second of a start."""
    collected = gc.isenabled()
    gc.disable()
    try:
        return importlib.import_module(module)
    finally:
        if collected:
            gc.enable()


class MainGroup(LazyGroup):
    """What an operator can do something about is one sentence and exit code 1; Ctrl-C is 130, in silence."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        for number, argument in enumerate(args, 1):
            if not _is_utf8(argument):
                shown = os.fsencode(argument).decode(errors="backslashreplace")
                raise click.ClickException(f"Argument {number}: expected text in UTF-8; {shown} is not.")
        with _in_a_sentence(ctx):
            return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        found = super().resolve_command(ctx, args)
        if found[0] != SERVE:  # which drains
            ctx.with_resource(ending.orderly())
        return found

    def invoke(self, ctx: click.Context) -> Any:
        with _in_a_sentence(ctx):
            return super().invoke(ctx)

    def main(self, *args: Any, **options: Any) -> Any:
        streams.make_usable()
        return super().main(*args, **options)


@contextlib.contextmanager
def _in_a_sentence(ctx: click.Context) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        ctx.exit(130)
    except Exception as error:
        sentence = _sentence(error, ctx.invoked_subcommand)
        if sentence is None or os.environ.get("XP_TRACEBACK"):
            raise
        if isinstance(error, OSError) and error.filename == streams.OUTPUT:
            streams.drop_output()
        raise click.ClickException(sentence) from error


def _is_utf8(text: str) -> bool:
    """Python keeps other bytes of a command line as halves of surrogate pairs, which no database and no JSON takes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _sentence(error: Exception, command: str | None) -> str | None:
    """None for what Click tells by itself, and for defects of the server: its log should have the traceback."""
    if isinstance(error, click.ClickException | click.exceptions.Exit | click.Abort):
        return None
    if _is_told(error):
        return str(error).replace(" that you may see.", ".")  # at the terminal one may see everything
    if isinstance(error, OSError):
        if error.errno == errno.EPIPE:
            return None
        named = f"{error.filename}: " if error.filename else ""
        rest = "; what was done stays done" if error.filename == streams.OUTPUT else ""
        return f"{named}{error.strerror or error}{rest}."
    if command == SERVE:
        return None
    return f"This is a defect of xp: {type(error).__name__}: {error}; XP_TRACEBACK=1 in front of xp shows where."


def _is_told(error: Exception) -> bool:
    """Whether it says in a sentence of ours what is wrong. Its module was imported where it was raised."""
    names = (("actors.errors", "XpError"), ("storage.database", "DatabaseProblem"))
    return any(
        module in sys.modules and isinstance(error, getattr(sys.modules[module], name)) for module, name in names
    )
