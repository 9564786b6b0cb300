"""`xp thread post`."""

from typing import TYPE_CHECKING, Any

import click

from actors.resources.messages import MESSAGE_TYPES
from cli.opening.database import Writer, data_dir_option, reading, writing
from cli.terminal import stdin
from cli.terminal.console import json_option, plain, print_json
from cli.threads import acting

if TYPE_CHECKING:
    from actors.auth.identity import Identity
    from actors.resources.messages import Message, MessageType


@click.command("post")
@click.argument("thread")
@click.argument("text")
@click.option(
    "--as", "author", default=None, metavar="USER", help="Id or e-mail address of a member.  [default: System]"
)
@click.option("--type", "kind", type=click.Choice(MESSAGE_TYPES), default=None, help="[default: by the author's kind]")
@data_dir_option
@json_option
def command(thread: str, text: str, author: str | None, kind: Any, data_dir: str | None, as_json: bool) -> None:
    """Write a message to a thread.

    Subscribers of a running server receive it within about a second. Without --as the author is System, who becomes a
    member first. TEXT - reads stdin.

    Example: xp thread post THREAD "The server restarts at noon."
    """
    from cli.terminal.checked_input import checked
    from server.api import render
    from server.resources.messages.views import CreateMessageRequest

    content = stdin.read_text() if text == "-" else text
    with reading(data_dir) as database:
        state = acting.open_thread(database, thread)
        member = acting.member(database, state, author) if author is not None else None
    request = checked(CreateMessageRequest, thread_id=thread, content=content, type=kind)
    with writing(data_dir) as writer:
        identity = member or writer.system()
        message = _post(writer, identity, request, joins=identity.user.key not in state.roles)
        writer.note("create_message", "message", message.id)
    if as_json:
        print_json(render.message(message, personal=False))
    else:
        click.echo(f"{plain(identity.author.name)} wrote {message.id} at offset {message.offset}.")


def _post(writer: Writer, identity: "Identity", request: Any, *, joins: bool) -> "Message":
    from actors.identifiers import new_id
    from actors.resources.messages import PostMessage

    fallback: MessageType = "ASSISTANT" if identity.author.kind == "ASSISTANT" else "USER"
    post = PostMessage(
        identity=identity, thread_id=request.thread_id, message_id=new_id(), content=request.content,
        type=request.type or fallback,
    )  # fmt: skip
    message: Message = (acting.join(writer, identity, post.thread_id, post) if joins else None) or writer.do(post)
    return message
