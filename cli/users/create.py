"""`xp user create`."""

from typing import Any

import click

from actors.resources.users import USER_KINDS, USER_ROLES
from cli import settings
from cli.opening.database import data_dir_option, writing
from cli.terminal.console import json_option, print_json
from cli.users import sign_in_rules
from cli.users.rendering import rendered


@click.command("create")
@click.argument("email")
@click.option("--name", default=None, help="Name.  [default: EMAIL's part before the @]")
@click.option("--role", type=click.Choice(USER_ROLES), default="USER", show_default=True)
@click.option("--kind", type=click.Choice(USER_KINDS), default="HUMAN", show_default=True)
@click.option("--subject", default=None, help="The `sub` of the user's tokens.  [default: the user's id]")
@data_dir_option
@json_option
def command(email: str, data_dir: str | None, as_json: bool, subject: str | None, **fields: Any) -> None:
    """Create a user before they first sign in.

    They sign in with `xp user link`, or with a token that has their e-mail address or `sub`.

    Example: xp user create ana@rpotential.ai --name Ana --role ADMIN
    """
    from actors.resources.users import CreateUser
    from cli.terminal.checked_input import checked
    from server.resources.users.views import CreateUserRequest

    fields["name"] = fields["name"] or email.partition("@")[0]
    request = checked(CreateUserRequest, email=email, **fields)
    with writing(data_dir) as writer:
        user = writer.do(
            CreateUser(
                identity=writer.system(), email=request.email, name=request.name, role=request.role,
                kind=request.kind, subject=subject or None,
            )
        )  # fmt: skip
    sign_in_rules.warn(user, settings.load({"data_dir": data_dir}))
    if as_json:
        print_json(rendered(user))
    else:
        click.echo(f"Created {user.email} ({user.role}, {user.kind}), id {user.id}.")
