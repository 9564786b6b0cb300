"""`xp thread post`."""

import sys
from typing import TYPE_CHECKING, Any

import click

from actors.records import MESSAGE_TYPES
from cli.console import json_option, plain, print_json
from cli.session import Writer, data_dir_option, everyone, identity_of, reading, writing

if TYPE_CHECKING:
    from actors.records import Identity, Message, MessageType


@click.command("post")
@click.argument("thread")
@click.argument("text")
@click.option(
    "--as", "author", default=None, metavar="USER", help="Id or e-mail address of a member.  [default: System]"
)
@click.option("--type", "kind", type=click.Choice(MESSAGE_TYPES), default=None, help="[default: by who writes]")
@data_dir_option
@json_option
def command(thread: str, text: str, author: str | None, kind: Any, data_dir: str | None, as_json: bool) -> None:
    """Write a message into a thread.

    Subscribers of a running server see it within about a second. Without --as the system user writes, and becomes a
    member first. TEXT - reads stdin.

    Example: xp thread post THREAD "The server restarts at noon."
    """
    from cli.requests import checked
    from server import render
    from server.schemas.messages import CreateMessageRequest

    content = sys.stdin.read() if text == "-" else text
    _must_be_there(thread, data_dir)
    request = checked(CreateMessageRequest, thread_id=thread, content=content, type=kind)
    with writing(data_dir) as writer:
        identity = writer.system() if author is None else _member(thread, author, data_dir)
        message = _post(writer, identity, request, joins=author is None and not _has(thread, identity, data_dir))
    if as_json:
        print_json(render.message(message, personal=False))
    else:
        click.echo(f"{plain(identity.author.name)} wrote {message.id} at offset {message.offset}.")


def _must_be_there(thread: str, data_dir: str | None) -> None:
    from storage.reading import access

    with reading(data_dir) as database:
        access.visible_thread(database, everyone(), thread)


def _member(thread: str, named: str, data_dir: str | None) -> "Identity":
    """Who is to write: what the server asks of them is asked here in an administrator's words."""
    from storage.maintenance import people

    with reading(data_dir) as database:
        user = people.find(database, named)
    if user.status != "ACTIVE":
        raise click.ClickException(f"{plain(user.name)} is deactivated and writes no more.")
    identity = identity_of(user)
    if not _has(thread, identity, data_dir):
        raise click.ClickException(
            f"{plain(user.name)} is not a member of thread {thread}; without --as the system user writes."
        )
    return identity


def _has(thread: str, identity: "Identity", data_dir: str | None) -> bool:
    from storage.reading import threads

    with reading(data_dir) as database:
        state = threads.state(database, thread)
    return state is not None and identity.user.key in state.roles


def _post(writer: Writer, identity: "Identity", request: Any, *, joins: bool) -> "Message":
    from actors.commands import AddMember, PostMessage
    from actors.identifiers import new_id

    fallback: MessageType = "ASSISTANT" if identity.author.kind == "ASSISTANT" else "USER"
    batch: list[Any] = [
        PostMessage(
            identity=identity, thread_id=request.thread_id, message_id=new_id(), content=request.content,
            type=request.type or fallback,
        )
    ]  # fmt: skip
    if joins:
        batch.insert(0, AddMember(identity=identity, thread_id=request.thread_id, user_id=identity.user.id))
    message: Message = writer.do(*batch)
    return message
