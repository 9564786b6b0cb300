"""`xp user`: who may use the server."""

from typing import TYPE_CHECKING, Any

import click

from actors.records import USER_KINDS, USER_ROLES
from cli.console import json_option, print_json, print_table, short_time
from cli.session import data_dir_option, everyone, reading, writing

if TYPE_CHECKING:
    from actors.records import User
    from storage.database import Database

AT_ONCE = 500


@click.group()
def command() -> None:
    """List, make and promote users.

    Example: xp user set-role ana@rpotential.ai ADMIN
    """


@command.command("list")
@data_dir_option
@json_option
def list_command(data_dir: str | None, as_json: bool) -> None:
    """List all users, the oldest account first.

    Example: xp user list --json
    """
    with reading(data_dir) as database:
        users = _all(database)
    if as_json:
        print_json([_rendered(user) for user in users])
        return
    columns = ("id", "e-mail", "name", "role", "kind", "status", "since")
    print_table(columns, ((u.id, u.email, u.name, u.role, u.kind, u.status, short_time(u.created_at)) for u in users))


def _all(database: "Database") -> "list[User]":
    from storage.reading import users

    found: list[User] = []
    after: int | None = None
    while True:
        page = users.page(database, limit=AT_ONCE, after=after)
        found += page.items
        if page.next_cursor is None:
            return found
        after = int(page.next_cursor)


def _rendered(user: "User") -> dict[str, Any]:
    from server import render

    return render.user(user, everyone()) | {"subject": user.subject}


@command.command("create")
@click.argument("email")
@click.option("--name", default=None, help="Their name.  [default: EMAIL's part before the @]")
@click.option("--role", type=click.Choice(USER_ROLES), default="USER", show_default=True)
@click.option("--kind", type=click.Choice(USER_KINDS), default="HUMAN", show_default=True)
@click.option("--subject", default=None, help="The `sub` of the tokens that will speak for them.  [default: their id]")
@data_dir_option
@json_option
def create_command(email: str, data_dir: str | None, as_json: bool, subject: str | None, **fields: Any) -> None:
    """Make a user before they first sign in.

    Example: xp user create bot@rpotential.ai --name Bot --kind ASSISTANT --subject bot
    """
    from actors.commands import CreateUser
    from cli.requests import checked
    from server.schemas.users import CreateUserRequest

    fields["name"] = fields["name"] or email.partition("@")[0]
    request = checked(CreateUserRequest, email=email, **fields)
    with writing(data_dir) as writer:
        user = writer.do(
            CreateUser(
                identity=writer.system(), email=request.email, name=request.name, role=request.role,
                kind=request.kind, subject=subject or None,
            )
        )  # fmt: skip
    if as_json:
        print_json(_rendered(user))
    else:
        click.echo(f"Made {user.email} ({user.role}, {user.kind}), id {user.id}.")


@command.command("set-role")
@click.argument("user")
@click.argument("role", type=click.Choice(USER_ROLES))
@data_dir_option
@json_option
def set_role_command(user: str, role: Any, data_dir: str | None, as_json: bool) -> None:
    """Give a user, named by id or e-mail address, a role.

    A running server goes by it when it next verifies one of their tokens, or after a restart.

    Example: xp user set-role ana@rpotential.ai ADMIN
    """
    from actors.commands import UpdateUser
    from storage.maintenance import people

    with reading(data_dir) as database:
        found = people.find(database, user)
    with writing(data_dir) as writer:
        changed = writer.do(UpdateUser(identity=writer.system(), user_id=found.id, role=role))
    if as_json:
        print_json(_rendered(changed))
    else:
        click.echo(f"{changed.name} ({changed.email or changed.id}) has the role {changed.role}.")
