"""Actions: what a person does with the blocks of a message or an artifact (clicks, chooses, fills in), and what its
author answers.

An action is seen by who acted and by the author, in their own logs. It is pending until the author answers, or until it
expires. The author of an artifact is its creator; its viewers see in the log of the thread what was acted on, and the
status, but not what was filled in.
"""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Final, Literal

from actors.commands import UNSET, Makes, ThreadCommand, Unset
from actors.errors import XpError
from actors.events import EphemeralKind, EventKind
from actors.page import Page
from actors.queries import IdentityQuery, Owner, Query
from actors.resources.users import Author

ActionStatus = Literal["pending", "done", "failed", "expired"]
ACTION_STATUSES: tuple[ActionStatus, ...] = ("pending", "done", "failed", "expired")
ActionRole = Literal["author", "user"]
"""Whose actions: those on one's messages and artifacts, or those one has made."""
SubjectKind = Literal["message", "artifact"]


@dataclass(frozen=True, slots=True)
class Subject:
    """What offers an action."""

    kind: SubjectKind
    id: str


@dataclass(frozen=True, slots=True)
class Action:
    key: int
    id: str
    thread_id: str
    subject: Subject
    subject_version: int
    """Of what was acted on; it may have changed since."""
    metadata: str
    """Of the subject, as it is now: where applications keep what they need to go on."""
    block: str | None
    """JSON of the block, as it is now; None where the subject has it no more."""
    author: Author
    """Of the message, or creator of the artifact: who answers."""
    user: Author
    """Who acted."""
    block_id: str
    action_id: str
    kind: str
    """Type of the element, such as `button`; `form` for a form that was sent."""
    value: str
    """JSON."""
    state: str
    """JSON: block id → action id → value, of the inputs that were sent along."""
    status: ActionStatus
    text: str
    """What the author says to who acted."""
    errors: str
    """JSON: pointer into `state` → sentence."""
    correlation_id: str
    """Of the request that acted."""
    version: int
    created_at: int
    expires_at: int
    """A pending action expires then."""
    answered_at: int | None = None


@dataclass(frozen=True, slots=True)
class ArtifactAction:
    """An action on an artifact, as all see it who see the artifact."""

    id: str
    artifact_id: str
    action: Action | None
    """None: it was deleted since."""


ACTION_CREATED: Final = EventKind("action.created", Action | Mapping, "action", channel="user")
"""To who acted, and to the author. Of an action that was deleted since, only its id."""
ACTION_UPDATED: Final = EventKind("action.updated", Action | Mapping, "action", channel="user")
ACTIONS_DELETED: Final = EventKind("actions.deleted", Mapping, None, channel="user")
"""With their message or artifact."""
FORM_EXPIRED: Final = EventKind("form.expired", Mapping, None, channel="user")
"""A form was not answered in time. Sent to its author, and to the members who could have answered."""
ARTIFACT_ACTION_CREATED: Final = EventKind("artifact.action_created", ArtifactAction, "artifact")
"""To all who see the artifact."""
ARTIFACT_ACTION_UPDATED: Final = EventKind("artifact.action_updated", ArtifactAction, "artifact")


@dataclass(frozen=True, slots=True)
class OptionsRequest:
    """A person looks for an option of an external select, which only the author knows."""

    id: str
    thread_id: str
    subject: Subject
    metadata: str
    """Of the subject."""
    author: Author
    user: Author
    block_id: str
    action_id: str
    query: str


OPTIONS_REQUESTED: Final = EphemeralKind("options.requested", OptionsRequest, channel="user")
"""To the author."""


@dataclass(frozen=True, slots=True)
class OptionSource:
    """Where the options of an external select come from."""

    thread_id: str
    author: Author
    is_heard: bool
    """Whether the author is still in the thread."""
    metadata: str
    least: int
    """Characters that are typed before the author is asked."""
    fallback: Mapping[str, Any]
    """What is shown when the author does not answer: what the element had from the start."""


@dataclass(frozen=True, slots=True)
class GetOptionSource(IdentityQuery[OptionSource]):
    """Raises `NotFound`, `Forbidden`, `Conflict`, or `ValidationFailed` where there is no such external select."""

    subject: Subject
    _: KW_ONLY
    block_id: str
    action_id: str


@dataclass(frozen=True, slots=True)
class Checked:
    """A request to act that the subject's blocks allow."""

    mark: str
    """Of what was offered when this was checked: the blocks of a message, the digest of an artifact's content."""
    kind: str
    value: str
    state: str
    closes_at: int | None = None
    """A form takes no answer after it."""
    is_counted_once: bool = False
    """An approval: the first answer is the only one."""


@dataclass(slots=True, kw_only=True)
class Act(ThreadCommand[Action]):
    """Answers the `Action`."""

    subject: Subject
    block_id: str
    action_id: str
    checked: Checked | XpError
    """An error: what speaks against it, unless this is a retry of what was done."""


@dataclass(slots=True, kw_only=True)
class AnswerAction(ThreadCommand[Action]):
    """By the author, once. Answers the `Action`."""

    action_id: str
    status: Literal["done", "failed"]
    text: str = ""
    errors: str = "{}"
    content: str | Unset = UNSET
    """Of the message that was acted on, which is edited in the same transaction."""
    blocks: str | Unset | None = UNSET
    metadata: str | Unset = UNSET


@dataclass(frozen=True, slots=True)
class ExpireActions(Makes[int]):
    """Expire those whose time is over, `rows` at most; answers how many."""

    rows: int = 500


@dataclass(frozen=True, slots=True)
class ExpireForms(Makes[int]):
    """Notify of unanswered forms that expired before an instant, `rows` at most. Answers how many it looked at."""

    before: int
    """Milliseconds since 1970."""
    rows: int = 100


@dataclass(frozen=True, slots=True)
class CheckAction(IdentityQuery[Checked]):
    """Whether the subject offers this. Raises `ValidationFailed` with JSON pointers, `NotFound`, `Conflict`."""

    subject: Subject
    _: KW_ONLY
    block_id: str
    action_id: str
    value: Any
    state: Mapping[str, Mapping[str, Any]]
    confirmed: bool


@dataclass(frozen=True, slots=True)
class GetAction(IdentityQuery[Action]):
    """Raises `NotFound` for all but who acted, the author, and administrators."""

    action_id: str


@dataclass(frozen=True, slots=True)
class ListActions(IdentityQuery[Page[Action]]):
    """Of the identity, the newest first."""

    _: KW_ONLY
    role: ActionRole
    status: ActionStatus | None
    limit: int
    before: int | None


@dataclass(frozen=True, slots=True)
class ListActionsBy(Query[Page[Action]]):
    """What a user has done with blocks, the oldest first; also in threads that the user has left."""

    user_id: str
    limit: int = field(kw_only=True)
    after: int | None = field(kw_only=True)

    @property
    def owner(self) -> Owner:
        return self.user_id


@dataclass(frozen=True, slots=True)
class ListMessageActions(IdentityQuery[Page[Action]]):
    """On one message, the newest first: all for its author and administrators, for others their own."""

    message_id: str
    _: KW_ONLY
    limit: int
    before: int | None


@dataclass(frozen=True, slots=True)
class ListArtifactActions(IdentityQuery[Page[Action]]):
    """On one artifact, the newest first: all of them, for all who see it."""

    artifact_id: str
    _: KW_ONLY
    limit: int
    before: int | None
