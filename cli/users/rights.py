"""`xp user set-role`, `activate` and `deactivate`: the rights of a user."""

from typing import Any

import click

from actors.resources.users import USER_ROLES, User
from cli.opening.database import data_dir_option, find_user, writing
from cli.terminal.console import json_option, print_json
from cli.users.rendering import named, rendered


@click.command("set-role")
@click.argument("user")
@click.argument("role", type=click.Choice(USER_ROLES))
@data_dir_option
@json_option
def set_role_command(user: str, role: Any, data_dir: str | None, as_json: bool) -> None:
    """Set the role of a user.

    Takes effect within a second on a running server: the user's connections are closed and reconnect with the new
    rights. The role stays until an administrator, or the issuer of the user's tokens, changes it.

    Example: xp user set-role ana@rpotential.ai ADMIN
    """
    changed = _update(user, data_dir, role=role)
    _tell(changed, f"{named(changed)} has the role {changed.role}.", as_json)


@click.command("deactivate")
@click.argument("user")
@data_dir_option
@json_option
def deactivate_command(user: str, data_dir: str | None, as_json: bool) -> None:
    """Deactivate a user: end their sessions and refuse sign-ins.

    A running server closes their connections within a second. Threads, messages and API keys stay; the keys are valid
    again once the user is active.

    Example: xp user deactivate ana@rpotential.ai
    """
    changed = _update(user, data_dir, status="DEACTIVATED")
    _tell(changed, f"{named(changed)} is deactivated; their sessions have ended.", as_json)


@click.command("activate")
@click.argument("user")
@data_dir_option
@json_option
def activate_command(user: str, data_dir: str | None, as_json: bool) -> None:
    """Activate a deactivated user again.

    Example: xp user activate ana@rpotential.ai
    """
    changed = _update(user, data_dir, status="ACTIVE")
    _tell(changed, f"{named(changed)} is active and may sign in.", as_json)


def _update(user: str, data_dir: str | None, **fields: Any) -> User:
    from actors.resources.users import UpdateUser

    found = find_user(data_dir, user)
    with writing(data_dir) as writer:
        changed: User = writer.do(UpdateUser(identity=writer.system(), user_id=found.id, **fields))
    return changed


def _tell(user: User, sentence: str, as_json: bool) -> None:
    if as_json:
        print_json(rendered(user))
    else:
        click.echo(sentence)
