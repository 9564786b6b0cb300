"""Who may do what. Pure functions of what is known; they return nothing or raise an error of the catalogue."""

from typing import Final

from actors import limits
from actors.auth.identity import Identity
from actors.commands import IfVersion
from actors.errors import Conflict, Forbidden, NotFound, PreconditionFailed
from actors.resources.members import MemberRole
from actors.resources.messages import MessageType
from actors.resources.threads import Control, ThreadStatus, WhileStreaming
from actors.resources.users import UserKind

_WRITERS: Final = frozenset({"OWNER", "MEMBER"})


def must_match(expected: IfVersion, actual: int) -> None:
    """`If-Match` names the version that the caller has read, or several of which one must be the present one."""
    if expected is None or actual == expected:
        return
    if isinstance(expected, int):
        raise PreconditionFailed(str(expected), str(actual))
    if actual not in expected:
        raise PreconditionFailed(" or ".join(map(str, sorted(expected))), str(actual))


def must_see(identity: Identity, role: MemberRole | None, thread_id: str) -> None:
    """A thread is visible to its members and to admins; for others it does not exist."""
    if role is None and not identity.is_admin:
        raise NotFound("thread", thread_id)


def must_write(identity: Identity, role: MemberRole | None, thread_id: str, status: ThreadStatus) -> None:
    """To write into a thread one is its owner or a member, and the thread is not closed."""
    if status != "CLOSED" and role in _WRITERS:  # asked with each message, and seldom refused
        return
    must_see(identity, role, thread_id)
    must_be_writer(role, status)


def must_be_writer(role: MemberRole | None, status: ThreadStatus) -> None:
    if role not in _WRITERS:
        have = "you are not a member" if role is None else "you are a VIEWER"
        raise Forbidden(f"Writing requires the role OWNER or MEMBER; {have}.", code="not_a_writer")
    must_be_open(status)


def must_be_open(status: ThreadStatus) -> None:
    """Raises `Conflict`."""
    if status == "CLOSED":
        raise Conflict("The thread is CLOSED; its owner can set it to ACTIVE again.", code="thread_closed")


def check_turn_taking(
    identity: Identity, control: Control, while_streaming: WhileStreaming, *, streams: int, opens_stream: bool
) -> None:
    """While people are in control assistants are silent; answers come one after another, unless the thread says
    otherwise; and where it says so, people wait for the end of one."""
    must_have_the_floor(identity.user.kind, control)
    if streams == 0:
        return
    must_wait = opens_stream and while_streaming != "parallel"
    if must_wait or (while_streaming == "reject" and identity.user.kind == "HUMAN"):
        raise Conflict("An answer is being streamed; wait until it is complete, or stop it.", code="answer_streaming")
    if opens_stream and streams >= limits.STREAMS_PER_THREAD:
        raise Conflict(
            f"At most {limits.STREAMS_PER_THREAD} messages may be streamed at once.", code="answer_streaming"
        )


def must_have_the_floor(kind: UserKind, control: Control) -> None:
    if kind == "ASSISTANT" and control == "human":
        raise Conflict("People are in control of this thread; assistants may not write.", code="human_in_control")


def must_go_on(kind: UserKind, role: MemberRole | None, status: ThreadStatus, control: Control) -> None:
    """What the author of a message that is being written needs for each piece of it; see also `must_see`."""
    must_be_writer(role, status)
    must_have_the_floor(kind, control)


def must_post_as(identity: Identity, message_type: MessageType) -> None:
    """SYSTEM messages speak for the application, so they are for services, assistants and admins."""
    if message_type == "SYSTEM" and identity.user.kind == "HUMAN" and not identity.is_admin:
        raise Forbidden("Only services, assistants and admins may write messages of type SYSTEM.")


def must_manage(identity: Identity, role: MemberRole | None, thread_id: str) -> None:
    """To change a thread or its members one owns it, or is an admin."""
    must_see(identity, role, thread_id)
    if role != "OWNER" and not identity.is_admin:
        raise Forbidden(f"Only the thread's owners and admins may do this; you are {role}.")


def must_edit(identity: Identity, role: MemberRole | None, author_key: int) -> None:
    if identity.user.key != author_key or role is None or role == "VIEWER":
        raise Forbidden("Only its author may edit a message, and only if they may write in the thread.")


def must_delete(identity: Identity, role: MemberRole | None, author_key: int) -> None:
    own = identity.user.key == author_key and role is not None
    if not (own or role == "OWNER" or identity.is_admin):
        raise Forbidden("Only its author, the thread's owners and admins may delete a message.")


def must_administer(identity: Identity) -> None:
    if not identity.is_admin:
        raise Forbidden("This requires the role ADMIN.")
