"""What was refused lately, in memory, so that an administrator can say why."""

import time
from collections import deque
from typing import Any

from actors import limits
from actors.errors import XpError
from server.api.render import iso_time


class Refusals:
    def __init__(self) -> None:
        self._newest: deque[tuple[int, str, str, str, str, str]] = deque(maxlen=limits.REFUSALS_KEPT)

    def note(self, user_id: str, operation: str, error: XpError, correlation_id: str) -> None:
        now = time.time_ns() // 1_000_000
        self._newest.append((now, user_id, operation, error.code, error.detail, correlation_id))

    def of(self, user_id: str) -> list[dict[str, Any]]:
        """The newest first."""
        found = [refusal for refusal in reversed(self._newest) if refusal[1] == user_id]
        return [
            {
                "at": iso_time(at),
                "operation": operation,
                "code": code,
                "detail": detail,
                "correlation_id": correlation_id,
            }
            for at, _, operation, code, detail, correlation_id in found[: limits.REFUSALS_SHOWN]
        ]
