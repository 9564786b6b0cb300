"""Operations: every request of a client, declared once.

From one declaration come the REST route, the RPC method of the same name and the documentation. An operation is an
async function of a `Call` (the identity of the caller, and conditions) and a validated request; it answers a `Result`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError

from actors import limits
from actors.auth.identity import Identity, Origin, Scope
from actors.commands import AnswerRetry, IfVersion, Once
from actors.errors import Forbidden, ValidationFailed, XpError
from server.api.fields import Request
from server.api.services import Services
from server.http.headers.cookies import Cookie
from server.http.headers.peers import Peer
from server.limits.rate_classes import Access, RateClass
from server.realtime.hub import Client
from server.resources.auth.views import SECRETS

R = TypeVar("R", bound=Request)


@dataclass(slots=True)
class Call:
    """One invocation: by REST, or by RPC over a WebSocket."""

    services: Services
    who: Identity | None
    """Who asks; None only where the operation is open to all."""
    find_peer: Callable[[], Peer]
    """Asked only where an operation wants to know it."""
    once: Once | None = None
    if_version: IfVersion = None
    operation: str = ""
    """Its name."""
    connection: Client | None = None
    """Where it came over one."""

    @property
    def identity(self) -> Identity:
        assert self.who is not None
        return self.who

    @property
    def peer(self) -> Peer:
        """Where it comes from."""
        return self.find_peer()

    @property
    def origin(self) -> Origin:
        """For the audit log."""
        return self.peer.origin

    async def first(self, refusal: XpError) -> Any:
        """What the first request with this idempotency key came to, where something refuses its retry; raises `refusal`
        where this is the first."""
        if self.once is None or refusal.retryable:
            raise refusal
        return await self.services.result(AnswerRetry(identity=self.identity, once=self.once, refusal=refusal))


@dataclass(slots=True)
class Result:
    data: Any
    """What orjson encodes."""
    status: int | None = None
    """Where it differs from the operation's own."""
    location: str | None = None
    version: int | None = None
    """Of the resource, for its ETag."""
    next_cursor: str | None = None
    limit: int | None = None
    """Set for lists: they get `metadata.pagination`."""
    cookies: tuple[Cookie, ...] = ()
    """For browsers; RPC leaves them out."""
    redirect: str | None = None
    """Where a browser is sent (303), instead of an answer."""
    extra: dict[str, Any] = field(default_factory=dict)
    """More for `metadata`."""


Handler = Callable[[Call, Any], Awaitable[Result]]


@dataclass(frozen=True, slots=True)
class Operation:
    name: str
    methods: tuple[str, ...]
    path: str
    """With `{parameters}`, and its prefix."""
    request: type[Request]
    response: type[BaseModel] | None
    """Of `data`; None for no body."""
    status: int
    access: Access
    scope: Scope
    """What an API key must be allowed."""
    rate: RateClass
    """Which bucket it draws from."""
    handler: Handler
    summary: str
    description: str
    tag: str
    paged: bool
    failures: tuple[int, ...] = ()
    """Statuses beside those that every operation of its kind may be answered with."""
    waits: bool = False
    """Whether it waits for a mail server, a push service, an identity provider, or another client. Over a WebSocket
    it runs in a task of its own then, which a timeout needs."""
    reads_later: bool = False
    """Whether its user's events or contents are read by what it makes: an API key needs the scope `read`, too."""
    has_body: bool = field(init=False)
    """Asked with every request."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "has_body", bool({*self.methods} & {"POST", "PUT", "PATCH"}))

    @property
    def path_parameters(self) -> tuple[str, ...]:
        return tuple(part[1:-1] for part in self.path.split("/") if part.startswith("{"))

    @property
    def keeps_pages(self) -> bool:
        """Whether a reader may keep its pages, and ask by their ETag whether they are still so. Not those about
        credentials, what only administrators see, nor of a search, which says how it went."""
        return self.paged and self.access == "user" and self.tag not in ("auth", "api-keys", "search")

    @property
    def is_for_known(self) -> bool:
        """Whether a caller is authenticated before the request is read."""
        return self.access in ("user", "admin")

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """All that an API key must be allowed."""
        return (self.scope, "read") if self.reads_later else (self.scope,)

    def takes_key(self, method: str) -> bool:
        """Whether a retry is recognised by its `Idempotency-Key`. A patch is applied to what is there: sent again, it
        would append twice."""
        return method == "POST" or (method in ("PATCH", "PUT") and "PATCH" in self.methods)

    def must_allow(self, identity: Identity) -> None:
        """Raises `Forbidden` where the credential (not the user) may not. Operations that are open to all
        are open to every key."""
        if identity.scopes is not None and self.access in ("user", "admin"):
            for scope in self.scopes:
                must_have_scope(identity, scope, self.name)

    def parse(self, parameters: dict[str, Any], *, typed: bool) -> Request:
        """Validate; `typed` parameters came as JSON and must have the right type, others came as text.

        Raises `ValidationFailed` with a sentence for each field.
        """
        try:
            return self.request.model_validate(parameters, strict=typed)
        except ValidationError as error:
            raise ValidationFailed(field_errors(error)) from None


def must_have_scope(identity: Identity, scope: Scope, asked: str) -> None:
    """Raises `Forbidden` for an API key that may not do what is asked."""
    if not identity.has_scope(scope):
        raise Forbidden(
            f"{asked} requires the scope `{scope}`; this key has {', '.join(sorted(identity.scopes or ()))}.",
            code="scope_missing",
        )


def field_errors(error: ValidationError) -> dict[str, list[str]]:
    """JSON path → what was expected and what came."""
    if error.error_count() > limits.FIELD_ERRORS:
        return {"body": [f"{error.error_count()} faults are too many to list; fix some and try again."]}
    found: dict[str, list[str]] = {}
    for item in error.errors(include_url=False):
        path = ".".join(str(part) for part in item["loc"]) or "body"
        if item["type"] == "blocks_invalid":
            for fault in item["ctx"]["faults"]:
                found.setdefault(".".join(filter(None, (path, fault.path))), []).append(fault.sentence)
            continue
        found.setdefault(path, []).append(_sentence(item))
    return found


def _sentence(item: Any) -> str:
    if item["type"] == "extra_forbidden":
        return "This field is not known here."
    if item["type"] == "missing":
        return "This field is required."
    message = item["msg"].removeprefix("Value error, ")
    if SECRETS.intersection(map(str, item["loc"])):
        return f"{message}."
    return f"{message}; got {_shown(item['input'])}."


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return f"a text of {len(value)} characters" if len(value) > 40 else repr(value)
    if isinstance(value, bool | int | float) or value is None:
        return (
            orjson.dumps(value).decode()[:40] if not isinstance(value, int) or abs(value) < 2**63 else "a huge number"
        )
    return "an object" if isinstance(value, dict) else "a list"


def _scope(method: str, access: Access) -> Scope:
    if access == "admin":
        return "admin"
    return "read" if method == "GET" else "write"


class Operations:
    """The operations of one resource; a module of `server/operations` declares each."""

    def __init__(self, tag: str, prefix: str = "/api/v1") -> None:
        self.tag = tag
        self.prefix = prefix
        self.all: list[Operation] = []

    def __call__(
        self,
        method: str,
        path: str,
        *,
        response: type[BaseModel] | None,
        status: int = 200,
        access: Access = "user",
        scope: Scope | None = None,
        rate: RateClass | None = None,
        paged: bool = False,
        failures: tuple[int, ...] = (),
        waits: bool = False,
        reads_later: bool = False,
    ) -> Callable[[Callable[[Call, R], Awaitable[Result]]], Callable[[Call, R], Awaitable[Result]]]:
        """Declare the function below as an operation; its name, docstring and request type are the operation's own."""

        def declare(handler: Callable[[Call, R], Awaitable[Result]]) -> Callable[[Call, R], Awaitable[Result]]:
            summary, _, description = (handler.__doc__ or "").strip().partition("\n")
            self.all.append(
                Operation(
                    name=handler.__name__,
                    methods=tuple(method.split("|")),
                    path=self.prefix + path,
                    request=handler.__annotations__["request"],
                    response=response,
                    status=status,
                    access=access,
                    scope=scope or _scope(method, access),
                    rate=rate or _scope(method, access),
                    handler=handler,
                    summary=summary,
                    description=" ".join(description.split()),
                    tag=self.tag,
                    paged=paged,
                    failures=failures,
                    waits=waits,
                    reads_later=reads_later,
                )
            )
            return handler

        return declare
