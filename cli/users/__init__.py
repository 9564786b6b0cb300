"""`xp user`: who may use the server."""

import click

from cli.group import LazyGroup

COMMANDS = {
    "list": ("cli.users.listing:command", "List all users, the oldest account first"),
    "show": ("cli.users.show:command", "Show a user's standing, sessions, API keys and threads"),
    "create": ("cli.users.create:command", "Make a user before they first sign in"),
    "link": ("cli.users.link:command", "Make a link that signs a user in, once"),
    "set-role": ("cli.users.standing:set_role_command", "Give a user a role"),
    "deactivate": ("cli.users.standing:deactivate_command", "Keep a user out, until they are activated again"),
    "activate": ("cli.users.standing:activate_command", "Let a deactivated user in again"),
    "delete": ("cli.users.delete:command", "Delete a user for good"),
    "export": ("cli.users.export:command", "Write everything about a user as one JSON document"),
}


@click.group(cls=LazyGroup, entries=COMMANDS)
def command() -> None:
    """List, make, let in, change and delete users.

    USER is an id or an e-mail address. What is written shows in `xp audit list`.

    Example: xp user link ana@rpotential.ai
    """
