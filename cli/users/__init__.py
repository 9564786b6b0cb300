"""`xp user`: who may use the server."""

import click

from cli.terminal.group import LazyGroup

COMMANDS = {
    "list": ("cli.users.listing:command", "List all users, oldest account first"),
    "show": ("cli.users.show:command", "Show a user's status, sessions, API keys and threads"),
    "create": ("cli.users.create:command", "Create a user before they first sign in"),
    "link": ("cli.users.link:command", "Create a link that signs a user in, once"),
    "set-role": ("cli.users.rights:set_role_command", "Set the role of a user"),
    "deactivate": (
        "cli.users.rights:deactivate_command",
        "Deactivate a user: end their sessions and refuse sign-ins",
    ),
    "activate": ("cli.users.rights:activate_command", "Activate a deactivated user again"),
    "delete": ("cli.users.delete:command", "Delete a user for good"),
    "export": ("cli.users.export:command", "Write all data about a user as one JSON document"),
}


@click.group(cls=LazyGroup, entries=COMMANDS)
def command() -> None:
    """List, create, change and delete users, and let them sign in.

    USER is an id or an e-mail address. Changes are recorded in `xp audit list`.

    Example: xp user link ana@rpotential.ai
    """
