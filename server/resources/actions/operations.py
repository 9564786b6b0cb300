"""What people do with the blocks of messages and artifacts, and what their authors answer."""

from typing import Any

from actors.errors import XpError
from actors.resources.actions import (
    Act,
    Action,
    AnswerAction,
    ArtifactAction,
    CheckAction,
    Checked,
    GetAction,
    ListActions,
    ListArtifactActions,
    ListMessageActions,
    Subject,
)
from actors.resources.artifacts.queries import GetArtifact
from server.api.cursors import integer
from server.api.fields import ById, given
from server.api.message_commands import about_message
from server.api.registry import Call, Operations, Result
from server.resources.actions.options import asked_for, checked
from server.resources.actions.views import (
    ActionView,
    AnswerActionRequest,
    AnswerOptionsRequest,
    ArtifactActionView,
    CreateActionRequest,
    FindOptionsRequest,
    ListActionsOnRequest,
    ListActionsRequest,
    OptionsAnsweredView,
    OptionsView,
    action_view,
    artifact_action_view,
)

operations = Operations("actions")


@operations("POST", "/messages/{id}/actions", response=ActionView, status=201)
async def create_action(call: Call, request: CreateActionRequest) -> Result:
    """Act on a block of a message: press a button, choose an option, send a form. For members who may write.

    Only what the message offers is taken: faults are listed by JSON pointer (`/state/address/city`), before the author
    hears of anything. The action is `pending` until the author answers; `action.updated` on your own channel says so.
    """
    thread_id = await call.services.places.thread_of(request.id)
    command = await _acting(call, request, Subject("message", request.id), thread_id)
    action = await about_message(call, command, request.id)
    return _shown(action, location=f"/api/v1/actions/{action.id}")


@operations("POST", "/artifacts/{id}/actions", response=ActionView, status=201)
async def create_artifact_action(call: Call, request: CreateActionRequest) -> Result:
    """Act on a block of an artifact, as on one of a message. For members who may write, but not for its creator.

    Only what the newest version offers is taken. The creator answers; who sees the artifact sees the status.
    """
    artifact = await call.services.ask(GetArtifact(call.identity, request.id, with_content=False))
    command = await _acting(call, request, Subject("artifact", request.id), artifact.thread_id)
    action = await call.services.result(command)
    return _shown(action, location=f"/api/v1/actions/{action.id}")


async def _acting(call: Call, request: CreateActionRequest, subject: Subject, thread_id: str) -> Act:
    return Act(
        identity=call.identity, once=call.once, origin=call.origin, thread_id=thread_id, subject=subject,
        block_id=request.block_id, action_id=request.action_id, checked=await _checked(call, request, subject),
    )  # fmt: skip


async def _checked(call: Call, request: CreateActionRequest, subject: Subject) -> Checked | XpError:
    """A retry is answered as the first request was, although its subject may offer this no more."""
    try:
        return await call.services.ask(
            CheckAction(
                call.identity, subject, block_id=request.block_id, action_id=request.action_id,
                value=request.value, state=request.state, confirmed=request.confirmed,
            )
        )  # fmt: skip
    except XpError as refusal:
        if refusal.retryable:
            raise
        return refusal


@operations("GET", "/messages/{id}/actions", response=ActionView, paged=True)
async def list_message_actions(call: Call, request: ListActionsOnRequest) -> Result:
    """Actions on a message, newest first: all of them for its author and admins, your own for you."""
    query = ListMessageActions(call.identity, request.id, limit=request.limit, before=integer(request.cursor))
    return _page(await call.services.ask(query), request.limit)


@operations("GET", "/artifacts/{id}/actions", response=ArtifactActionView, paged=True)
async def list_artifact_actions(call: Call, request: ListActionsOnRequest) -> Result:
    """Actions on an artifact, newest first, without what was filled in and answered; for all who see the artifact."""
    query = ListArtifactActions(call.identity, request.id, limit=request.limit, before=integer(request.cursor))
    page = await call.services.ask(query)
    shown = [artifact_action_view(ArtifactAction(each.id, request.id, each)) for each in page.items]
    return Result(shown, next_cursor=page.next_cursor, limit=request.limit)


@operations("GET", "/actions", response=ActionView, paged=True)
async def list_actions(call: Call, request: ListActionsRequest) -> Result:
    """Actions on your messages and artifacts, or those that you made; newest first.

    With `status=pending`: what waits for your answer, also from the time when you were not there.
    """
    query = ListActions(
        call.identity, role=request.role, status=request.status, limit=request.limit, before=integer(request.cursor)
    )
    return _page(await call.services.ask(query), request.limit)


@operations("GET", "/actions/{id}", response=ActionView)
async def get_action(call: Call, request: ById) -> Result:
    """One action; for who acted, for the author of the message or creator of the artifact, and for admins."""
    return _shown(await call.services.ask(GetAction(call.identity, request.id)))


@operations("POST", "/actions/{id}/answer", response=ActionView)
async def answer_action(call: Call, request: AnswerActionRequest) -> Result:
    """Answer an action on your message or artifact, once: done or failed, with a text or errors of fields.

    `message` edits the message in the same transaction. There is no hurry: a pending action waits for a week.
    """
    action = await call.services.ask(GetAction(call.identity, request.id))
    changes: dict[str, Any] = (
        given(request.message, "content", "blocks", "metadata") if request.message is not None else {}
    )
    command = AnswerAction(
        identity=call.identity, once=call.once, origin=call.origin, thread_id=action.thread_id, action_id=request.id,
        status=request.status, text=request.text, errors=request.errors, **changes,
    )  # fmt: skip
    return _shown(await call.services.result(command))


@operations("POST", "/messages/{id}/options", response=OptionsView, waits=True)
async def find_options(call: Call, request: FindOptionsRequest) -> Result:
    """Options of an external select: the author of the message is asked, for at most 3 seconds.

    If the author is not connected, or does not answer in time, the options that the element had from the start are
    returned, with `answered: false`.
    """
    return Result(await asked_for(call, request, Subject("message", request.id)))


@operations("POST", "/artifacts/{id}/options", response=OptionsView, waits=True)
async def find_artifact_options(call: Call, request: FindOptionsRequest) -> Result:
    """Options of an external select of an artifact: its creator is asked, as the author of a message is."""
    return Result(await asked_for(call, request, Subject("artifact", request.id)))


@operations("POST", "/option-requests/{id}/answer", response=OptionsAnsweredView)
async def answer_options(call: Call, request: AnswerOptionsRequest) -> Result:
    """Answer `options.requested`, an event of your own channel, while the person waits."""
    call.services.option_requests.answer(request.id, call.identity.user.key, checked(request))
    return Result({"id": request.id})


def _page(page: Any, limit: int) -> Result:
    return Result([action_view(action) for action in page.items], next_cursor=page.next_cursor, limit=limit)


def _shown(action: Action, location: str | None = None) -> Result:
    return Result(action_view(action), version=action.version, location=location)
