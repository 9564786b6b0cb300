"""`xp completion`: what the shell needs to complete commands and options."""

import click

SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> None:
    """Print the completion script of a shell.

    Example: eval "$(xp completion bash)"
    """
    from click.shell_completion import get_completion_class

    from cli.main import main

    kind = get_completion_class(shell)
    assert kind is not None
    completion = kind(main, {}, "xp", "_XP_COMPLETE")
    click.echo(completion.source_template % completion.source_vars())
