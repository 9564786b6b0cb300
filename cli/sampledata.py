"""`xp sampledata`: a few people, an assistant and their threads, to look at and to build a client against."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import click

from cli.opening.database import Writer, data_dir_option, writing
from cli.terminal.console import count, json_option, print_json

if TYPE_CHECKING:
    from actors.auth.identity import Identity
    from actors.resources.messages import Message
    from actors.resources.threads import Thread

DOMAIN: Final = "rpotential.ai"

PEOPLE: Final = {"ana": "Ana Lima", "bo": "Bo Chen", "chidi": "Chidi Okafor", "echo": "Echo"}
"""Subject, and beginning of the e-mail address → name. The last one is an assistant."""

THREADS: Final[tuple[tuple[str, tuple[tuple[str, str], ...]], ...]] = (
    ("Launch of the spring release", (
        ("ana", "The release notes are in review. @Bo can you look at the part about *search*?"),
        ("bo", "Done, two remarks:\n\n1. Say that it also finds blocks.\n2. `xp search` is not a command."),
        ("ana", "@Echo what is left to do before Friday?"),
        ("echo", "Three things are open:\n\n- the migration guide\n- figures of the **last** benchmark\n- a name"),
        ("chidi", "I take the migration guide."),
    )),
    ("Why was Tuesday slow?", (
        ("chidi", "p99 was at 40 ms from 09:10 to 09:25. Does anyone know why?"),
        ("echo", "A backup ran at the same time:\n\n```text\n09:10:02 backup started\n09:24:41 backup finished\n```"),
        ("bo", "Then we move it to the night."),
    )),
    ("Lunch", (("bo", "Noodles at noon?"), ("ana", "Yes! 🍜"))),
)  # fmt: skip
"""Title, and who says what in it."""


@click.command("sampledata")
@data_dir_option
@json_option
def command(data_dir: str | None, as_json: bool) -> None:
    """Add sample data to the database: a few users, an assistant and their threads.

    Running it again adds the threads again. A running server publishes them within about a second.

    Example: xp sampledata --data-dir ./data
    """
    with writing(data_dir) as writer:
        people = {subject: _person(writer, subject) for subject in PEOPLE}
        threads = [_thread(writer, people, title, said) for title, said in THREADS]
    if as_json:
        users = {subject: person.user.id for subject, person in people.items()}
        print_json({"users": users, "threads": [thread.id for thread in threads]})
    else:
        click.echo(f"Made {count(len(threads), 'thread')} of {', '.join(PEOPLE.values())}.")
        click.echo(f"Sign in as Ana: xp token --sub ana --email ana@{DOMAIN}")


def _person(writer: Writer, subject: str) -> "Identity":
    from actors.resources.users import EnsureUser
    from cli.opening.database import identity_of

    kind: Any = "ASSISTANT" if subject == "echo" else "HUMAN"
    email = f"{subject}@{DOMAIN}"
    made = EnsureUser(
        subject=subject, email=email, name=PEOPLE[subject], domain=DOMAIN, role=None, kind=kind,
    )  # fmt: skip
    return identity_of(writer.do(made))


def _thread(writer: Writer, people: Mapping[str, "Identity"], title: str, said: Any) -> "Thread":
    from actors.resources.threads import CreateThread

    members: Any = tuple((person.user.id, "MEMBER") for person in list(people.values())[1:])
    thread: Thread = writer.do(CreateThread(identity=people["ana"], title=title, members=members))
    messages = [_message(writer, people[author], thread, text) for author, text in said]
    _applaud(writer, people["ana"], thread, messages[-1])
    return thread


def _message(writer: Writer, author: "Identity", thread: "Thread", text: str) -> "Message":
    from actors.identifiers import new_id
    from actors.resources.messages import PostMessage

    kind: Any = "ASSISTANT" if author.user.kind == "ASSISTANT" else "USER"
    message: Message = writer.do(
        PostMessage(identity=author, thread_id=thread.id, message_id=new_id(), content=text, type=kind)
    )
    return message


def _applaud(writer: Writer, who: "Identity", thread: "Thread", message: "Message") -> None:
    from actors.resources.reactions import React

    writer.do(React(identity=who, thread_id=thread.id, message_id=message.id, emoji="👍"))
