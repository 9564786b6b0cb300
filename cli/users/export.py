"""`xp user export`."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from actors import limits
from cli import settings
from cli.api_keys import keys_of
from cli.files.options import folder_of, store_options, store_problems
from cli.opening.database import everyone, find_user, reading, writing
from cli.opening.pages import every
from cli.sessions import sessions_of
from cli.terminal.written_files import force_option, written
from cli.users import file_contents
from cli.users.memberships import memberships_of
from cli.users.rendering import rendered

if TYPE_CHECKING:
    from actors.resources.users import User
    from storage.database import Database


@click.command("export")
@click.argument("user")
@click.argument("file")
@click.option(
    "--files", "folder", metavar="DIR", type=click.Path(path_type=Path), default=None,
    help="Also write the content of their files to DIR: a folder for each, a file for each version.",
)  # fmt: skip
@force_option
@store_options
def command(user: str, file: str, folder: Path | None, force: bool, **flags: str | None) -> None:
    """Write all data about a user as one JSON document.

    Account, threads, sessions, API keys, every message they wrote, artifact they created, change to one that they
    proposed, comment on one, action on a block or answer to a form, and file they own, also in threads they have left.
    FILE - is stdout.

    Example: xp user export ana@rpotential.ai ana.json
    """
    chosen = settings.load(flags)
    data_dir = folder_of(chosen)
    found = find_user(data_dir, user)
    with written(file, force=force) as out:
        with writing(data_dir) as writer:
            writer.note("export_user", "user", found.id)
        with reading(data_dir) as database:
            for part in _document(database, found):
                out.write(part)
            if folder is not None:
                with store_problems():
                    file_contents.write(chosen, database, found, folder)


def _document(database: "Database", user: "User") -> Iterator[bytes]:
    """An object whose last members are written one by one: there may be more of them than fit in memory."""
    import orjson

    yield orjson.dumps(_account(database, user)).removesuffix(b"}")
    for name, found in _lists(database, user):
        yield b',"%b":[' % name.encode()
        for number, item in enumerate(found):
            yield (b",\n" if number else b"\n") + orjson.dumps(item)
        yield b"\n]"
    yield b"}\n"


def _lists(database: "Database", user: "User") -> Iterator[tuple[str, Iterator[dict[str, Any]]]]:
    yield "messages", _messages(database, user)
    yield "artifacts", _artifacts(database, user)
    yield "proposals", _proposals(database, user)
    yield "comments", _comments(database, user)
    yield "actions", _actions(database, user)
    yield "files", _files(database, user)


def _account(database: "Database", user: "User") -> dict[str, Any]:
    from server.api.account_views import api_key_view, membership_view, session_view

    return {
        "user": rendered(user),
        "memberships": [membership_view(membership) for membership in memberships_of(database, user.id)],
        "sessions": [session_view(session, everyone()) for session in sessions_of(database, user.id)],
        "api_keys": [api_key_view(key) for key in keys_of(database, user.id)],
    }


def _messages(database: "Database", user: "User") -> Iterator[dict[str, Any]]:
    from server.api import render
    from storage.resources.users import export as people

    found = every(lambda after: people.messages_by(database, user.id, limit=limits.XP_PAGE, after=after))
    return (render.message(message, personal=False) for message in found)


def _files(database: "Database", user: "User") -> Iterator[dict[str, Any]]:
    from server.api import render

    return (render.file(file) for file in file_contents.owned_by(database, user))


def _artifacts(database: "Database", user: "User") -> Iterator[dict[str, Any]]:
    from server.resources.artifacts import rendering
    from storage.resources.artifacts import reading as artifacts

    found = every(lambda after: artifacts.artifacts_by(database, user.id, limit=limits.XP_PAGE, after=after))
    return map(rendering.artifact, found)


def _proposals(database: "Database", user: "User") -> Iterator[dict[str, Any]]:
    from server.resources.proposals import rendering
    from storage.resources.proposals import reading as proposals

    found = every(lambda after: proposals.proposals_by(database, user.id, limit=limits.XP_PAGE, after=after))
    return map(rendering.full, found)


def _comments(database: "Database", user: "User") -> Iterator[dict[str, Any]]:
    from server.resources.comments import rendering
    from storage.resources.comments import reading as comments

    found = every(lambda after: comments.comments_by(database, user.id, limit=limits.XP_PAGE, after=after))
    return map(rendering.comment, found)


def _actions(database: "Database", user: "User") -> Iterator[dict[str, Any]]:
    from server.resources.actions.views import own_action_view
    from storage.resources.actions import reading as actions

    found = every(lambda after: actions.actions_by(database, user.id, limit=limits.XP_PAGE, after=after))
    return map(own_action_view, found)
