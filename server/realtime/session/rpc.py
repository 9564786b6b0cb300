"""Operations called over the WebSocket: the `rpc` command."""

import time
from collections.abc import Mapping
from typing import Any

import orjson

from actors.errors import Forbidden, Internal, NotFound, ValidationFailed, XpError
from server.api import operations
from server.api.registry import Call, Operation
from server.http.rest import once
from server.realtime.protocol import codes as protocol
from server.realtime.protocol.codes import Refused
from server.realtime.session.client_session import ClientSession


class RpcCalls:
    def __init__(self, session: ClientSession) -> None:
        self._session = session

    async def rpc(self, number: int, body: Mapping[str, Any]) -> bytes | None:
        """`method` is an operation's name; `data` its path, query and body parameters, beside which it may have an
        `idempotency_key` and, as `if_version`, the version that an update must find."""
        method = body.get("method")
        operation = operations.BY_NAME.get(method) if isinstance(method, str) else None
        if operation is None:
            raise Refused(protocol.METHOD_NOT_FOUND, f"method not found: {str(method)[:100]}")
        data = protocol.json_of(body.get("data", {}), takes_halves=operation.request.takes_halves)
        if data is None:
            data = {}
        return self._session.codec.data(await self.run(operation, data))

    async def run(self, operation: Operation, data: object) -> bytes:
        """Measured, whatever becomes of it."""
        session, began = self._session, time.monotonic()
        measures, code = session.services.measures, ""
        try:
            return await self._run(operation, data)
        except XpError as error:
            code = error.code
            raise
        except Exception:
            code = Internal.code
            raise
        finally:
            measures.operation(operation.name, session.transport, time.monotonic() - began, code)

    async def _run(self, operation: Operation, data: object) -> bytes:
        protocol.must_be_exact(data)
        if not isinstance(data, dict):
            raise ValidationFailed({"data": ["expected a JSON object."]})
        key = data.pop("idempotency_key", None)
        if_version = data.pop("if_version", None)
        if if_version is not None and type(if_version) is not int:
            raise ValidationFailed({"if_version": ["expected an integer."]})
        identity = self._session.identity
        assert identity is not None
        limiter = self._session.services.limiter
        if limiter is not None:
            limiter.take_for(operation, identity, self._session.peer.address)
        retry = None if key is None else once(key, operation, data)
        call = Call(
            self._session.services, identity, lambda: self._session.peer, retry, if_version, operation.name,
            self._session,
        )  # fmt: skip
        try:
            operation.must_allow(identity)
            if operation.rate == "write":
                self._session.services.activity.note(identity.user.key, connection=self._session)
            result = await operation.handler(call, operation.parse(data, typed=True))
        except (Forbidden, NotFound) as refusal:
            self._session.services.refusals.note(
                identity.user.id, operation.name, refusal, self._session.client_id
            )  # fmt: skip
            raise
        return orjson.dumps(result.data)
