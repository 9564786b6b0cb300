"""The reference of `xp`: what `--help` says, of every command."""

import inspect
from collections.abc import Iterator

import click

from cli.main import main
from cli.settings import BY_KEY

EVERYWHERE = {"as_json", *BY_KEY}
"""What the page explains once."""


def reference() -> str:
    """A section of each, groups before their commands."""
    return "\n".join(map(_section, contexts()))


def contexts() -> Iterator[click.Context]:
    """Every command, as it is called."""
    root = click.Context(main, info_name="xp", **main.context_settings)
    for name in main.list_commands(root):
        yield from _below(root, name)


def _below(parent: click.Context, name: str) -> Iterator[click.Context]:
    assert isinstance(parent.command, click.Group)
    command = parent.command.get_command(parent, name)
    assert command is not None
    context = click.Context(command, info_name=name, parent=parent)
    yield context
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            yield from _below(context, inner)


def _section(context: click.Context) -> str:
    level = "##" if context.command_path.count(" ") == 1 else "###"
    text, _, example = inspect.cleandoc(context.command.help or "").rpartition("Example: ")
    parts = [f"{level} {context.command_path}", *_usage(context), text.strip(), *_options(context)]
    return "\n\n".join([*parts, f"```sh\n{example}\n```\n"])


def _usage(context: click.Context) -> Iterator[str]:
    if not isinstance(context.command, click.Group):
        yield f"`{' '.join([context.command_path, *context.command.collect_usage_pieces(context)])}`"


def _options(context: click.Context) -> Iterator[str]:
    records = [
        record
        for option in context.command.params
        if isinstance(option, click.Option)
        and option.name not in EVERYWHERE
        and (record := option.get_help_record(context))
    ]
    if records:
        rows = [f"| `{names}` | {told} |" for names, told in (map(_cell, record) for record in records)]
        yield "\n".join(["| option | |", "|---|---|", *rows])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("  [", " [")
