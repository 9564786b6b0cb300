"""What a client is answered where its command failed."""

import logging
from collections.abc import Mapping
from typing import Any

import orjson
import pykka

from actors.errors import Internal, ShuttingDown, XpError
from server.api.services import Services
from server.http import problems
from server.realtime.protocol import codes as protocol
from server.realtime.protocol.codec import Codec
from server.realtime.protocol.codes import Refused

logger = logging.getLogger("server.realtime")


class ErrorReplies:
    """Of one session."""

    __slots__ = ("_client_id", "_codec", "_services")

    def __init__(self, services: Services, codec: Codec, client_id: str) -> None:
        self._services = services
        self._codec = codec
        self._client_id = client_id

    def of(self, number: int, verb: str, error: BaseException) -> bytes:
        match error:
            case Refused():
                return self._codec.error(number, error.code, error.message)
            case pykka.ActorDeadError():
                return self._of_known(number, verb, ShuttingDown("The server is shutting down; retry in a moment."))
            case XpError():
                return self._of_known(number, verb, error)
            case _:
                logger.error("%s of client %s failed", verb, self._client_id, exc_info=error)
                return self._of_known(number, verb, Internal())

    def _of_known(self, number: int, verb: str, error: XpError) -> bytes:
        """Operations answer the whole problem in the message; the protocol's own verbs a sentence."""
        self._services.request_log.command(verb, self._client_id, error.code)
        message = error.detail
        if verb in ("rpc", "publish"):
            problem = problems.problem(error, base=self._services.problem_base, correlation_id=self._client_id)
            message = orjson.dumps(problem).decode()
        return self._codec.error(number, problems.wire_codes(error).error, message, temporary=error.retryable)

    def unknown(self, number: int, command: Mapping[str, Any], verb: str | None) -> bytes:
        """To a command without a verb that is known, or with a body that is no object."""
        if verb is not None:
            return self._codec.error(number, protocol.BAD_COMMAND[0], f"bad request: `{verb}` must be an object")
        names = ", ".join(sorted(name for name in command if name != "id"))[:100]
        return self._codec.error(number, protocol.METHOD_NOT_FOUND[0], f"method not found: {names or 'none'}")
