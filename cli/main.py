"""`xp`: the commands, each in a module of its own."""

import click

from cli.terminal.group import MainGroup

COMMANDS = {
    "serve": ("cli.serve:command", "Start the server"),
    "deploy": ("cli.deploy:command", "Hand over from the running server to a new process"),
    "config": ("cli.config:command", "Show every setting, its value and its source"),
    "token": ("cli.tokens:command", "Mint, inspect and revoke tokens"),
    "user": ("cli.users:command", "List, create, change and delete users, and let them sign in"),
    "session": ("cli.sessions:command", "List and end sessions"),
    "key": ("cli.api_keys:command", "Create, list and revoke API keys"),
    "audit": ("cli.audit:command", "Read, verify and export the audit log"),
    "files": ("cli.files:command", "List, read, upload, check and prune files, and move their bytes to another store"),
    "hold": ("cli.hold:command", "Place, list and remove legal holds"),
    "retention": ("cli.retention:command", "Show and run the retention rules, and read the log of their runs"),
    "webhooks": ("cli.webhooks:command", "List, show, test and replay webhooks"),
    "thread": ("cli.threads:command", "Read and write threads"),
    "artifact": ("cli.artifacts:command", "List, show, export and restore artifacts"),
    "blocks": ("cli.blocks:command", "Check blocks of messages"),
    "actions": ("cli.actions:command", "List and show actions on blocks, and answers to forms"),
    "sampledata": (
        "cli.sampledata:command",
        "Add sample data to the database: a few users, an assistant and their threads",
    ),
    "db": ("cli.database:command", "Migrate, inspect, check, copy and restore the database"),
    "du": ("cli.du:command", "Show what takes the space"),
    "top": ("cli.top:command", "Show the status of the running server, live"),
    "logs": ("cli.logs:command", "Look at the log level of the running server, and change it"),
    "errors": ("cli.errors:command", "Show unhandled errors of the server"),
    "trace": ("cli.trace:command", "Show what a user, a thread or a connection does, live"),
    "why": ("cli.why:command", "Explain what the server did"),
    "doctor": ("cli.doctor:command", "Check the machine, the settings and the data"),
    "bench": ("cli.bench:command", "Run the benchmarks, or with --scenario a load test of a running server"),
    "drill": ("cli.drill:command", "Do harm to a scratch server under load, and check that it kept its promises"),
    "completion": ("cli.completion:command", "Print the completion script of a shell"),
}
"""Command → where it is, and what its help says in short."""

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 120}


@click.group(cls=MainGroup, entries=COMMANDS, context_settings=SETTINGS)
@click.version_option(package_name="experience-server", prog_name="xp")
def main() -> None:
    """The experience server: real-time messaging for people and AI agents.

    The commands work on the database in DATA_DIR, whether a server runs or not.

    Example: xp serve --port 8787
    """


if __name__ == "__main__":
    main(prog_name="xp")
