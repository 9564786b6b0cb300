"""Options of external selects: the author is asked on its channel, and those who wait get its answer."""

import asyncio
from functools import cache
from typing import Any

from actors import limits
from actors.errors import ValidationFailed
from actors.identifiers import new_id
from actors.resources.actions import OPTIONS_REQUESTED, GetOptionSource, OptionSource, OptionsRequest, Subject
from actors.resources.blocks import profile as profiles
from actors.resources.blocks.checks import check_of
from actors.resources.blocks.faults import Check, Faults, by_pointer
from actors.resources.user_events import UserEphemeral
from server.api.registry import Call
from server.resources.actions.views import AnswerOptionsRequest, FindOptionsRequest


async def asked_for(call: Call, request: FindOptionsRequest, subject: Subject) -> dict[str, Any]:
    """Raises `TooManyRequests` where too many wait already."""
    source = await call.services.ask(
        GetOptionSource(call.identity, subject, block_id=request.block_id, action_id=request.action_id)
    )
    if len(request.query) < source.least:
        raise ValidationFailed({"/query": [f"expected at least {source.least} characters; got {len(request.query)}."]})
    answer = await _answer(call, request, subject, source) if source.is_heard else None
    return {**(answer or source.fallback), "answered": answer is not None}


async def _answer(
    call: Call, request: FindOptionsRequest, subject: Subject, source: OptionSource
) -> dict[str, Any] | None:
    asked = OptionsRequest(
        new_id(), source.thread_id, subject, source.metadata, source.author, call.identity.author, request.block_id,
        request.action_id, request.query,
    )  # fmt: skip
    requests = call.services.option_requests
    reply = requests.open(asked)
    try:
        if not call.services.users.tell(source.author.key, UserEphemeral(OPTIONS_REQUESTED, asked)):
            return None
        async with asyncio.timeout(limits.OPTIONS_SECONDS):
            return await reply
    except TimeoutError:
        return None
    finally:
        requests.close(asked)


@cache
def _check(name: str) -> Check:
    return check_of(profiles.load(), "static_select", name)


def checked(request: AnswerOptionsRequest) -> dict[str, Any]:
    """As those of a select are, by the same limits; none are fine, too."""
    given = {"options": request.options, "option_groups": request.option_groups}
    faults = Faults(limits.FIELD_ERRORS)
    if all(given.values()):
        faults.add(None, "exclusive", "either `options` or `option_groups`", actual="both")
    for name, options in given.items():
        if options:
            _check(name)(options, (None, name), faults)
    if faults.count:
        raise ValidationFailed(by_pointer(faults.found))
    return given
