"""Operations called over the WebSocket: the `rpc` command."""

import asyncio
import time
from collections.abc import Awaitable, Collection, Coroutine, Mapping
from typing import Any

import orjson

from actors.auth.identity import Identity
from actors.errors import Internal, ValidationFailed, XpError
from server.api import operations, pipeline
from server.api.registry import Call, Operation, Result
from server.http.rest import once
from server.limits.rate_classes import Limited
from server.limits.rate_limits import Policy, Subject, subject_of
from server.realtime.protocol import codes as protocol
from server.realtime.protocol.codes import Refused
from server.realtime.session.client_session import ClientSession

_TRACE_CONTEXT = ("traceparent", "tracestate")
"""Beside the parameters, as headers are of a request over HTTP."""


class RpcCalls:
    def __init__(self, session: ClientSession) -> None:
        self._session = session

    async def rpc(self, number: int, body: Mapping[str, Any]) -> bytes | None:
        """`method` is an operation's name; `data` its path, query and body parameters, beside which it may have an
        `idempotency_key`, as `if_version` the version that an update must find, and a `traceparent`."""
        method = body.get("method")
        operation = operations.BY_NAME.get(method) if isinstance(method, str) else None
        if operation is None:
            raise Refused(protocol.METHOD_NOT_FOUND, f"method not found: {str(method)[:100]}")
        data = protocol.json_of(body.get("data", {}), takes_halves=operation.request.takes_halves)
        if data is None:
            data = {}
        return self._session.codec.data(await self.run(operation, data))

    def run(self, operation: Operation, data: object) -> Coroutine[Any, Any, bytes]:
        work, tracer = self._measured(operation, data), self._session.services.tracer
        return work if tracer is None else tracer.rpc(operation.name, self._session.transport, data, work)

    async def _measured(self, operation: Operation, data: object) -> bytes:
        """Whatever becomes of it."""
        session, began = self._session, time.monotonic()
        measures, code = session.services.measures, ""
        try:
            result = await pipeline.run(operation, session.services, _RpcEnd(session, operation, data))
            return orjson.dumps(result.data)
        except XpError as error:
            code = error.code
            raise
        except Exception:
            code = Internal.code
            raise
        finally:
            measures.operation(operation.name, session.transport, time.monotonic() - began, code)


class _RpcEnd:
    def __init__(self, session: ClientSession, operation: Operation, data: object) -> None:
        self._session = session
        self._operation = operation
        self._data = data
        self._parameters: dict[str, Any] = {}

    async def identify(self) -> Identity | None:
        """Found by connect, and kept up to date by the hub."""
        assert self._session.identity is not None
        return self._session.identity

    def subject(self, target: Limited, who: Identity | None) -> Subject:
        return subject_of(target, who, lambda: self._session.peer.address)

    def draw(self, policy: Policy, subject: Subject) -> None:
        policy.take(subject)

    async def read(self, who: Identity | None) -> Call:
        session, data = self._session, self._data
        protocol.must_be_exact(data)
        if not isinstance(data, dict):
            raise ValidationFailed({"data": ["expected a JSON object."]})
        key = data.pop("idempotency_key", None)
        if_version = data.pop("if_version", None)
        for name in _TRACE_CONTEXT:
            data.pop(name, None)
        if if_version is not None and type(if_version) is not int:
            raise ValidationFailed({"if_version": ["expected an integer."]})
        retry = None if key is None else once(key, self._operation, data)
        self._parameters = data
        return Call(session.services, who, lambda: session.peer, retry, if_version, self._operation.name, session)

    def work(self, call: Call) -> Awaitable[Result]:
        work = self._operation.handler(call, self._operation.parse(self._parameters, typed=True))
        return asyncio.ensure_future(work) if self._operation.waits else work

    @property
    def trace(self) -> str:
        return self._session.client_id

    @property
    def ids(self) -> Collection[str]:
        data = self._data if isinstance(self._data, dict) else {}
        return [value for name, value in data.items() if name.endswith("id") and isinstance(value, str)]
