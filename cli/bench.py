"""`xp bench`: the benchmarks, which come with a checkout of the project."""

import importlib.util
import subprocess
import sys

import click


@click.command("bench", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def command(ctx: click.Context, arguments: tuple[str, ...]) -> None:
    """Run the benchmarks.

    Arguments are passed to the benchmarks; --help after --.

    Example: xp bench -- --help
    """
    if not _is_installed():
        raise click.ClickException("The benchmarks are not installed; run this in a checkout of the project.")
    ctx.exit(subprocess.call([sys.executable, "-m", "bench", *arguments]))  # noqa: S603 - ourselves


def _is_installed() -> bool:
    try:
        return importlib.util.find_spec("bench.__main__") is not None
    except ModuleNotFoundError:
        return False
