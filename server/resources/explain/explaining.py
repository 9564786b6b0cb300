"""Why a user may do something or not, in words: what was passed, and who decided."""

from functools import cache
from typing import Any, Final

import orjson

from actors import limits
from actors.auth.identity import Identity
from actors.errors import NotFound, XpError
from actors.resources.api_keys import ListApiKeys, UsedKey
from actors.resources.members import GetMember
from actors.resources.threads import GetThread
from actors.resources.users import GetUser, User
from server.api import operations
from server.api.registry import Call, Operation
from server.api.rehearsal import Stage, Verdict, rehearse
from server.http.problems import wire_codes
from server.resources.explain.views import ExplainAccessRequest


async def explain(call: Call, request: ExplainAccessRequest) -> dict[str, Any]:
    """Raises `NotFound` for a user, an API key or an operation that does not exist."""
    operation = operations.BY_NAME.get(request.operation)
    if operation is None:
        raise NotFound("operation", request.operation)
    user = await call.services.ask(GetUser(request.id))
    who = await _identity(call, user, request.api_key_id)
    given: dict[str, Any] = orjson.loads(request.parameters)
    assumed = _assumed(operation, given)
    parameters = {**assumed, **given}
    verdict = await rehearse(call.services, operation, who, parameters)
    passed = [sentence for stage in verdict.passed if (sentence := _passed(stage, operation, who, call))]
    return {
        "user_id": user.id, "operation": operation.name, "allowed": verdict.refusal is None,
        "decided_by": verdict.stage, **_refusal(verdict.refusal), "because": _because(verdict),
        "passed": passed, "facts": await _facts(call, operation, user, parameters), "assumed": sorted(assumed),
    }  # fmt: skip


async def _identity(call: Call, user: User, api_key_id: str | None) -> Identity:
    if api_key_id is None:
        return Identity(user, user.author, 0)
    keys = await call.services.ask(ListApiKeys(user_id=user.id, limit=limits.TRACE_ENTRIES, before=None))
    key = next((key for key in keys.items if key.id == api_key_id), None)
    if key is None:
        raise NotFound("active API key of this user", api_key_id)
    return UsedKey(user, key).identity


def _refusal(refusal: XpError | None) -> dict[str, Any]:
    if refusal is None:
        return {"code": None, "status": None, "errors": {}}
    return {"code": refusal.code, "status": wire_codes(refusal).status, "errors": dict(refusal.field_errors)}


def _because(verdict: Verdict) -> str:
    if verdict.refusal is not None:
        return verdict.refusal.detail
    if verdict.untried is not None:
        return f"Nothing refuses it. What it goes on to is not tried: {verdict.untried}."
    if verdict.wrote:
        return "Nothing refuses it: it was written in a transaction that was undone."
    return "Nothing refuses it: it was done in the name of the user, and changes nothing."


PASSED: Final[dict[Stage, str]] = {
    "account": "The account is ACTIVE, and its domain and address may come in.",
    "parameters": "The parameters are valid.",
    "operation": "The operation's own checks do not refuse it.",
    "thread": "The thread takes it: role, status, turns and room.",
    "journal": "",
    "rate_limit": "",
    "scope": "",
}


def _passed(stage: Stage, operation: Operation, who: Identity, call: Call) -> str:
    if stage == "rate_limit":
        if call.services.limiter is None:
            return "Rate limits are off."
        return f"The rate `{operation.rate}` has room."
    if stage == "scope":
        if who.scopes is None:
            return "A token has all rights of the user."
        return f"The key may {', '.join(f'`{scope}`' for scope in operation.scopes)}."
    return PASSED[stage]


async def _facts(call: Call, operation: Operation, user: User, parameters: dict[str, Any]) -> list[str]:
    """A refusal does not tell a stranger that something exists; an administrator is told."""
    facts = [f"The account is {user.status}, a {user.kind}, with the role {user.role}."]
    thread_id = parameters.get("thread_id") or (parameters.get("id") if operation.path.startswith(_THREADS) else None)
    if isinstance(thread_id, str):
        facts += await _of_thread(call, user, thread_id)
    return facts


_THREADS: Final = "/api/v1/threads/{id}"


async def _of_thread(call: Call, user: User, thread_id: str) -> list[str]:
    ask = call.services.ask
    try:
        thread = await ask(GetThread(call.identity, thread_id))
    except NotFound:
        return ["There is no such thread, or it was deleted."]
    try:
        role = (await ask(GetMember(call.identity, thread_id, user.id))).role
    except NotFound:
        return [f"The thread is {thread.status}.", "The user is no member of it."]
    return [f"The thread is {thread.status}.", f"The user is {role} of it."]


def _assumed(operation: Operation, given: dict[str, Any]) -> dict[str, Any]:
    """For the fields that a request needs and the question left out: as in the examples of the API."""
    if not operation.has_body:
        return {}
    body = _bodies().get(operation.name, {})
    return {name: value for name, value in body.items() if name not in given}


@cache
def _bodies() -> dict[str, dict[str, Any]]:
    from server.api_docs import examples, json_schemas  # they know all operations, of which this is one

    schemas = json_schemas.of_models({each.request for each in operations.ALL})
    made = examples.Examples(schemas)
    found = {}
    for operation in operations.ALL:
        schema = schemas[json_schemas.name_of(operation.request)]
        apart = {*operation.path_parameters, *operation.request.in_query}
        left = {name: field for name, field in schema.get("properties", {}).items() if name not in apart}
        required = [name for name in schema.get("required", ()) if name not in apart]
        found[operation.name] = made.request(operation.name, {"properties": left, "required": required})
    return found
