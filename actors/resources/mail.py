"""Notifications by e-mail: a digest of what was missed, to an address that its user has confirmed."""

from collections.abc import Sequence
from dataclasses import dataclass

from actors.commands import Command, Makes
from actors.queries import IdentityQuery, Query
from actors.resources.notifications import Notification


@dataclass(frozen=True, slots=True)
class Mailbox:
    """The address of a user, as far as the server may write to it."""

    address: str
    verified_at: int | None
    """When its user followed the link that was sent to it; None: not yet, or the address was another one then."""


@dataclass(slots=True, kw_only=True)
class AskForVerification(Command[Mailbox]):
    """A mail is going to ask the user to confirm the address. Raises `Conflict` where one was sent just now."""


@dataclass(frozen=True, slots=True)
class ConfirmAddress(Makes[int]):
    """Answers whether the user still has this address."""

    user_id: str
    address: str


@dataclass(frozen=True, slots=True)
class EndMail(Makes[int]):
    """Take `email` out of the preferences of a user. Answers whether it was there."""

    user_id: str


@dataclass(frozen=True, slots=True)
class DoubtAddress(Makes[None]):
    """The mail server refused it: it has to be confirmed again."""

    user_key: int


@dataclass(frozen=True, slots=True)
class GetMailbox(IdentityQuery[Mailbox]):
    pass


@dataclass(frozen=True, slots=True)
class Missed:
    """A notification, and the title of its thread; empty: it is about none."""

    notification: Notification
    title: str


@dataclass(frozen=True, slots=True)
class Digest:
    is_verified: bool
    missed: tuple[Missed, ...]
    """The newest first, `limits.MAIL_LISTED` at most."""
    count: int
    """Of all that wait."""
    time_zone: str


@dataclass(frozen=True, slots=True)
class LoadDigest(Query[Digest | None]):
    """Of rows of the outbox; None: none of them waits any more, because all were read."""

    user_key: int
    keys: Sequence[int]
