"""`xp`: every command is imported when it is called, so that help and completion are quick."""

import importlib
from typing import Any

import click

COMMANDS = {
    "serve": "cli.serve",
}
"""Command → the module that has it, as `command`."""


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        command: Any = importlib.import_module(module).command
        return command  # type: ignore[no-any-return]


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(package_name="experience-server", prog_name="xp")
def main() -> None:
    """The experience server: threads for people and AI agents, live and durable.

    Example: xp serve --port 8787
    """


if __name__ == "__main__":
    main()
