"""`xp thread`: threads, read and written from a terminal."""

import click

from cli.terminal.group import LazyGroup

COMMANDS = {
    "list": ("cli.threads.listing:command", "List threads, most recently active first"),
    "tail": ("cli.threads.tail:command", "Print the events of a thread's log"),
    "post": ("cli.threads.post:command", "Write a message to a thread"),
    "export": ("cli.threads.export:command", "Write a thread and its content as JSON lines"),
}


@click.group(cls=LazyGroup, entries=COMMANDS)
def command() -> None:
    """Read and write threads.

    Example: xp thread tail THREAD --follow
    """
