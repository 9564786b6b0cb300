"""`xp why denied`: whether a user may call an operation, and who decides it."""

import json
from typing import Any
from urllib.parse import quote

import click

from cli import settings
from cli.opening.server_calls import ServerCalls, server_options
from cli.terminal.console import json_option, print_facts, print_json


@click.command("denied")
@click.argument("user", metavar="USER")
@click.argument("operation", metavar="OPERATION")
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--data", default=None, metavar="JSON", help="More parameters, in one object.")
@click.option("--key", "key_id", default=None, metavar="ID", help="With this API key of the user.")
@server_options
@json_option
def command(
    user: str, operation: str, ids: tuple[str, ...], data: str | None, key_id: str | None,
    url: str | None, token: str | None, as_json: bool, **flags: str | None,
) -> None:  # fmt: skip
    """Say whether a user may call an operation now, and who decides it.

    USER is an id or an e-mail address, OPERATION a name such as create_message, each ID one of its path, in order. The
    running server runs the operation in the user's name up to its first write, and undoes that.

    Example: xp why denied ana@rpotential.ai create_message cmwta8kex000053uaxsb10oqw
    """
    from server.api.operations import BY_NAME

    found = BY_NAME.get(operation)
    if found is None:
        raise click.ClickException(f"There is no operation {operation}; docs/endpoints.md lists them.")
    names = found.path_parameters
    if len(ids) > len(names):
        expected = ", ".join(names) or "none"
        raise click.ClickException(f"{operation}: expected {len(names)} ids ({expected}), got {len(ids)}.")
    calls = ServerCalls(settings.load(flags), url, token)
    parameters = _object(data) | dict(zip(names, ids, strict=False))
    asked = {"operation": operation, "parameters": parameters, "api_key_id": key_id}
    answer = calls.ask("POST", f"/api/v1/admin/users/{_id_of(calls, user)}/explain", asked)
    if as_json:
        print_json(answer)
    else:
        print_facts(_facts(answer))


def _object(text: str | None) -> dict[str, Any]:
    try:
        found = json.loads(text) if text else {}
    except (ValueError, RecursionError) as error:
        raise click.ClickException(f"--data: expected JSON: {error}.") from None
    if not isinstance(found, dict):
        raise click.ClickException("--data: expected a JSON object.")
    return found


def _id_of(calls: ServerCalls, user: str) -> str:
    if "@" not in user:
        return quote(user, safe="")
    found = calls.ask("GET", f"/api/v1/users?email={quote(user)}")
    if not found:
        raise click.ClickException(f"There is no user with the address {user}.")
    return str(found[0]["id"])


def _facts(answer: Any) -> list[tuple[str, object]]:
    verdict = "allowed" if answer["allowed"] else f"denied by the {answer['decided_by'].replace('_', ' ')}"
    code = f"{answer['code']} ({answer['status']})" if answer["code"] else None
    errors = [f"{field}: {' '.join(sentences)}" for field, sentences in answer["errors"].items()]
    return [
        (name, value)
        for name, value in (
            ("verdict", verdict), ("because", answer["because"]), ("code", code), ("fields", "\n".join(errors)),
            ("facts", "\n".join(answer["facts"])), ("passed", "\n".join(answer["passed"])),
            ("made up", ", ".join(answer["assumed"])),
        )
        if value
    ]  # fmt: skip
