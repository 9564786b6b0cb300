"""Actions on the blocks of messages and artifacts, on the wire."""

from typing import Annotated, Any, Literal

import orjson
from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from actors import limits
from actors.resources.actions import Action, ActionRole, ActionStatus, ArtifactAction, OptionsRequest, Subject
from server.api import render
from server.api.fields import LEFT_OUT, Blocks, Content, Id, Metadata, NoNul, Paged, Request, Time, View, json_shallow
from server.resources.users.views import AuthorView

_STATE: dict[str, Any] = {
    "type": "object",
    "additionalProperties": {"type": "object", "additionalProperties": True},
    "description": "Block id → action id → value, of inputs. At most 64 KiB as JSON, together with `value`.",
}
_ERRORS: dict[str, Any] = {
    "type": "object",
    "maxProperties": limits.ACTION_ERRORS,
    "propertyNames": {"pattern": "^/state/.+$"},
    "additionalProperties": {"type": "string", "minLength": 1, "maxLength": limits.ACTION_ERROR_CHARS},
    "description": "JSON pointer into the action, such as `/state/address/city` → a sentence for the person.",
}


def _state(value: Any) -> dict[str, dict[str, Any]]:
    if not isinstance(value, dict) or not all(isinstance(values, dict) for values in value.values()):
        raise ValueError("expected an object of objects: block id → action id → value")
    json_shallow(value)
    return value


def _options(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError("expected a list")
    json_shallow(value)
    return value


def _errors(value: Any) -> str:
    if not isinstance(value, dict):
        raise ValueError("expected an object: JSON pointer → sentence")
    if len(value) > limits.ACTION_ERRORS:
        raise ValueError(f"may be at most {limits.ACTION_ERRORS} fields, these are {len(value)}")
    for pointer, sentence in value.items():
        if not pointer.startswith("/state/") or len(pointer) > 2 * limits.ACTION_ID_CHARS + 8:
            raise ValueError("expected JSON pointers that begin with /state/")
        if not isinstance(sentence, str) or not 0 < len(sentence) <= limits.ACTION_ERROR_CHARS:
            raise ValueError(f"expected sentences of 1 to {limits.ACTION_ERROR_CHARS} characters")
    return orjson.dumps(value).decode()


BlockId = Annotated[
    str,
    StringConstraints(min_length=1, max_length=limits.ACTION_ID_CHARS),
    NoNul,
    Field(
        description="`block_id` of the block, or its JSON pointer within `blocks` where it has none.",
        json_schema_extra={"pattern": r"^[^\x00]+$"},
    ),
]
ActionId = Annotated[
    str,
    StringConstraints(max_length=limits.ACTION_ID_CHARS),
    NoNul,
    Field(
        description="`action_id` of the element, or its JSON pointer within the block where it has none; left out for "
        "a form without an `action_id`.",
        json_schema_extra={"pattern": r"^[^\x00]*$"},
    ),
]


_OPTIONS: dict[str, Any] = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {"text": {"type": "object"}, "value": {"type": "string"}},
        "required": ["text", "value"],
    },
    "maxItems": 100,
}
_GROUPS: dict[str, Any] = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {"label": {"type": "object"}, "options": _OPTIONS},
        "required": ["label", "options"],
    },
    "maxItems": 100,
}


class OwnActionView(View):
    """For who acted: without what others have put into the message or artifact since. One of both is null."""

    id: Id
    thread_id: Id
    message_id: Id | None
    message_version: int | None = Field(description="Of the message that was acted on; it may have changed since.")
    artifact_id: Id | None
    artifact_version: int | None = Field(description="Of the artifact that was acted on; it may have changed since.")
    user: AuthorView = Field(description="Who acted.")
    block_id: str
    action_id: str
    type: str = Field(description="Type of the element, such as `button`; `form` for a form that was sent.")
    value: Any
    state: dict[str, dict[str, Any]] = Field(description="Block id → action id → value, of inputs.")
    status: ActionStatus
    text: str = Field(description="What the author says to who acted, and to nobody else.")
    errors: dict[str, str] = Field(description="JSON pointer into this action → a sentence about the field.")
    correlation_id: str = Field(description="Of the request that acted.")
    version: int
    created_at: Time
    expires_at: Time = Field(description="When a pending action expires.")
    answered_at: Time | None


class ActionView(OwnActionView):
    message_metadata: dict[str, Any] | None = Field(description="`metadata` of the message, as it is now.")
    artifact_metadata: dict[str, Any] | None = Field(description="`metadata` of the artifact, as it is now.")
    author: AuthorView = Field(description="Of the message, or creator of the artifact: who answers.")
    block: dict[str, Any] | None = Field(description="The block, as it is now; null where it is not there any more.")


class ArtifactActionView(View):
    """An action on an artifact as all see it who see the artifact: without what was filled in and answered."""

    id: Id
    artifact_id: Id
    thread_id: Id
    artifact_version: int = Field(description="Of the artifact that was acted on; it may have changed since.")
    user: AuthorView = Field(description="Who acted.")
    block_id: str
    action_id: str
    type: str = Field(description="Type of the element, such as `button`; `form` for a form that was sent.")
    status: ActionStatus
    version: int
    created_at: Time
    expires_at: Time = Field(description="When a pending action expires.")
    answered_at: Time | None


class DeletedActionView(View):
    """Of an action that was deleted since."""

    id: Id
    artifact_id: Id


class CreateActionRequest(Request):
    id: Id
    block_id: BlockId
    action_id: ActionId = ""
    value: Annotated[Any, AfterValidator(json_shallow)] = None
    state: Annotated[Any, BeforeValidator(_state), Field(json_schema_extra=_STATE)] = Field(default={})
    confirmed: bool = Field(default=False, description="The person has confirmed, where the element asks for that.")


class ListActionsOnRequest(Paged):
    id: Id


class ListActionsRequest(Paged):
    role: ActionRole = Field(
        default="author", description="`author`: actions on your messages and artifacts; `user`: those that you made."
    )
    status: ActionStatus | None = None


class MessageChanges(Request):
    content: Content = LEFT_OUT
    blocks: Blocks = None
    metadata: Metadata = LEFT_OUT


class AnswerActionRequest(Request):
    id: Id
    status: Literal["done", "failed"] = "done"
    text: Annotated[
        str,
        StringConstraints(max_length=limits.ACTION_TEXT_CHARS),
        NoNul,
        Field(description="For who acted, and for nobody else.", json_schema_extra={"pattern": r"^[^\x00]*$"}),
    ] = ""
    errors: Annotated[Any, BeforeValidator(_errors), Field(json_schema_extra=_ERRORS)] = "{}"
    message: MessageChanges | None = Field(
        default=None,
        description="Edits the message in the same transaction, as `PATCH /messages/{id}` does. Not for an artifact.",
    )

    @model_validator(mode="after")
    def _errors_are_of_a_failure(self) -> "AnswerActionRequest":
        if self.errors != "{}" and self.status != "failed":
            raise ValueError("`errors` come with the status `failed`")
        return self


class FindOptionsRequest(Request):
    id: Id
    block_id: BlockId
    action_id: ActionId = ""
    query: Annotated[
        str,
        StringConstraints(max_length=limits.OPTIONS_QUERY_CHARS),
        NoNul,
        Field(description="What the person has typed.", json_schema_extra={"pattern": r"^[^\x00]*$"}),
    ] = ""


class AnswerOptionsRequest(Request):
    id: Id
    options: Annotated[Any, BeforeValidator(_options), Field(json_schema_extra=_OPTIONS)] = Field(default=[])
    option_groups: Annotated[Any, BeforeValidator(_options), Field(json_schema_extra=_GROUPS)] = Field(default=[])


class OptionsView(View):
    options: list[dict[str, Any]]
    option_groups: list[dict[str, Any]]
    answered: bool = Field(
        description="false: the author did not answer in time, and these are those that the element had from the start."
    )


class OptionsRequestView(View):
    """To the author: a person looks for an option of an external select."""

    id: Id = Field(description="For `POST /option-requests/{id}/answer`, within 3 seconds.")
    thread_id: Id
    message_id: Id | None
    message_metadata: dict[str, Any] | None
    artifact_id: Id | None
    artifact_metadata: dict[str, Any] | None
    user: AuthorView
    block_id: str
    action_id: str
    query: str


class OptionsAnsweredView(View):
    id: Id


def options_request_view(request: OptionsRequest) -> render.Json:
    return {
        "id": request.id,
        "thread_id": request.thread_id,
        **_subject(request.subject),
        **_metadata(request.subject, request.metadata),
        "user": render.author(request.user),
        "block_id": request.block_id,
        "action_id": request.action_id,
        "query": request.query,
    }


def own_action_view(action: Action) -> render.Json:
    """For who acted, wherever they are now: without what others have put there since."""
    return {name: shown for name, shown in action_view(action).items() if name not in _OF_OTHERS}


_OF_OTHERS = frozenset({"message_metadata", "artifact_metadata", "block", "author"})


def _subject(subject: Subject) -> dict[str, str | None]:
    ids: dict[str, str | None] = {"message_id": None, "artifact_id": None}
    return {**ids, f"{subject.kind}_id": subject.id}


def _metadata(subject: Subject, metadata: str) -> render.Json:
    return {"message_metadata": None, "artifact_metadata": None, f"{subject.kind}_metadata": render.carried(metadata)}


def action_view(action: Action) -> render.Json:
    return {
        "id": action.id,
        "thread_id": action.thread_id,
        **_subject(action.subject),
        "message_version": None,
        "artifact_version": None,
        f"{action.subject.kind}_version": action.subject_version,
        **_metadata(action.subject, action.metadata),
        "author": render.author(action.author),
        "user": render.author(action.user),
        "block_id": action.block_id,
        "action_id": action.action_id,
        "type": action.kind,
        "block": render.carried(action.block),
        "value": render.carried(action.value),
        "state": render.carried(action.state),
        "status": action.status,
        "text": action.text,
        "errors": render.carried(action.errors),
        "correlation_id": action.correlation_id,
        "version": action.version,
        "created_at": render.iso_time(action.created_at),
        "expires_at": render.iso_time(action.expires_at),
        "answered_at": render.maybe_time(action.answered_at),
    }


def artifact_action_view(found: ArtifactAction) -> render.Json:
    """Of an action that is not there any more, only the ids."""
    if found.action is None:
        return {"id": found.id, "artifact_id": found.artifact_id}
    shown = action_view(found.action)
    return {name: shown[name] for name in ArtifactActionView.model_fields}
