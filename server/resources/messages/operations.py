"""Messages of a thread."""

from actors.auth.identity import Identity
from actors.identifiers import new_id
from actors.resources.messages import (
    AskToAcknowledge,
    DeleteMessage,
    EditMessage,
    GetMessage,
    ListMessages,
    ListRevisions,
    Message,
    MessageType,
    PostMessage,
)
from server.api import render
from server.api.cursors import integer
from server.api.fields import ById, as_sent, changes_of, given
from server.api.message_commands import about_message
from server.api.registry import Call, Operations, Result
from server.resources.blocks.rendering import rendered
from server.resources.messages.views import (
    AskRequest,
    CreateMessageRequest,
    ListedMessageView,
    ListMessagesRequest,
    ListRevisionsRequest,
    MessageView,
    RevisionView,
    UpdateMessageRequest,
)

operations = Operations("messages")


@operations("GET", "/threads/{thread_id}/messages", response=ListedMessageView, paged=True)
async def list_messages(call: Call, request: ListMessagesRequest) -> Result:
    """Messages, newest first; `after` returns the following ones in ascending order, `around` those near a message.

    `metadata.offset` is the head of the thread's log, read before the messages.
    """
    bounds = {"before": request.before, "after": request.after, "around": request.around}
    if request.cursor is not None:
        direction, _, offset = request.cursor.partition(":")
        bounds[direction] = offset
    page = await call.services.ask(ListMessages(call.identity, request.thread_id, limit=request.limit, **bounds))
    shown = [render.message(message) for message in page.items]
    if request.render is not None:
        texts = await call.services.compute(call.identity, rendered, page.items, request.render)
        for message, text in zip(shown, texts, strict=True):
            message["rendered"] = text
    return Result(shown, next_cursor=page.next_cursor, limit=request.limit, extra={"offset": page.head})


@operations("POST", "/threads/{thread_id}/messages", response=MessageView, status=201)
async def create_message(call: Call, request: CreateMessageRequest) -> Result:
    """Write a message. The response is sent once it is durable; `offset` is its position in the thread's log.

    With `fit`, `metadata.fitted` lists what was changed in the blocks.
    """
    return await post(call, request)


async def post(call: Call, request: CreateMessageRequest, *, piece: str = "") -> Result:
    """`piece` is the first of a message that is streamed; it fits into one."""
    command = PostMessage(
        identity=call.identity, once=call.once, thread_id=request.thread_id, message_id=request.id or new_id(),
        content=request.content, type=_type(request.type, call.identity),
        blocks=as_sent(request.blocks), file_ids=request.files, parent_id=request.parent_id, metadata=request.metadata,
        status=request.status, acknowledgement=_asks(request.acknowledgement), piece=piece,
    )  # fmt: skip
    message = (await call.services.directory.ask(command)).result  # not by `services.result`: a coroutine less
    if message.status == "STREAMING":
        call.services.places.keep(message.id, message.thread_id)
    shown = _shown(message, location=f"/api/v1/messages/{message.id}")
    shown.extra = changes_of(request.blocks)
    return shown


def _asks(request: AskRequest | None) -> AskToAcknowledge | None:
    return None if request is None else AskToAcknowledge(request.user_ids, request.urgent)


def _type(wanted: MessageType | None, identity: Identity) -> MessageType:
    return wanted or ("ASSISTANT" if identity.author.kind == "ASSISTANT" else "USER")


@operations("GET", "/messages/{id}", response=MessageView)
async def get_message(call: Call, request: ById) -> Result:
    """One message; a deleted message returns its tombstone."""
    return _shown(await call.services.ask(GetMessage(call.identity, request.id)))


@operations("PATCH|PUT", "/messages/{id}", response=MessageView)
async def update_message(call: Call, request: UpdateMessageRequest) -> Result:
    """Edit your own message; earlier versions are kept in its history.

    With `fit`, `metadata.fitted` lists what was changed in the blocks.
    """
    command = EditMessage(
        identity=call.identity, once=call.once, thread_id=await call.services.places.thread_of(request.id),
        message_id=request.id, if_version=call.if_version, **given(request, "content", "metadata"),
    )  # fmt: skip
    if "blocks" in request.model_fields_set:
        command.blocks = as_sent(request.blocks)
    if "files" in request.model_fields_set:
        command.file_ids = request.files
    shown = _shown(await about_message(call, command, command.message_id))
    shown.extra = changes_of(request.blocks)
    return shown


@operations("DELETE", "/messages/{id}", response=MessageView)
async def delete_message(call: Call, request: ById) -> Result:
    """Delete a message; a tombstone without content remains. For its author, the thread's owners and admins."""
    command = DeleteMessage(
        identity=call.identity, thread_id=await call.services.places.thread_of(request.id), message_id=request.id,
        if_version=call.if_version, origin=call.origin,
    )  # fmt: skip
    return _shown(await about_message(call, command, command.message_id))


@operations("GET", "/messages/{id}/history", response=RevisionView, paged=True)
async def list_revisions(call: Call, request: ListRevisionsRequest) -> Result:
    """Earlier versions of a message, newest first; all of them if they fit into one page."""
    page = await call.services.ask(
        ListRevisions(call.identity, request.id, limit=request.limit, before=integer(request.cursor))
    )
    shown = [render.revision(revision) for revision in page.items]
    return Result(shown, next_cursor=page.next_cursor, limit=request.limit)


def _shown(message: Message, location: str | None = None) -> Result:
    return Result(render.message(message), version=message.version, location=location)
