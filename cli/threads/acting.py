"""In whose name a command writes into a thread: a member's, or System's, who becomes a member first."""

from typing import TYPE_CHECKING, Any

import click

from cli.opening.database import Writer, identity_of
from cli.terminal.console import plain

if TYPE_CHECKING:
    from actors.auth.identity import Identity
    from actors.threads.state import ThreadState
    from storage.database import Database


def open_thread(database: "Database", thread: str) -> "ThreadState":
    """A closed one is refused before the system user joins it."""
    from actors.errors import NotFound
    from storage.resources.threads import reading as threads

    state = threads.state(database, thread)
    if state is None:
        raise NotFound("thread", thread)
    if state.status == "CLOSED":
        raise click.ClickException(f"Thread {thread} is CLOSED; its owner can set it to ACTIVE again.")
    return state


def active_user(database: "Database", named: str) -> "Identity":
    from storage.maintenance import user_lookup

    user = user_lookup.find(database, named)
    if user.status != "ACTIVE":
        raise click.ClickException(f"{plain(user.name)} is deactivated and cannot write.")
    return identity_of(user)


def member(database: "Database", state: "ThreadState", named: str) -> "Identity":
    """Who is to write: what the server asks of them is asked here in an administrator's words."""
    identity = active_user(database, named)
    if identity.user.key not in state.roles:
        raise click.ClickException(
            f"{plain(identity.user.name)} is not a member of thread {state.id}; without --as the author is System."
        )
    return identity


def join(writer: Writer, identity: "Identity", thread_id: str, *then: Any) -> Any:
    """Become a member of the thread and do what follows: all of it, or nothing. None where they are a member already:
    another process was faster, and nothing is done."""
    from actors.errors import Conflict
    from actors.resources.members import AddMember

    try:
        return writer.do(AddMember(identity=identity, thread_id=thread_id, user_id=identity.user.id), *then)
    except Conflict as refusal:
        if refusal.code != "already_member":
            raise
        return None
