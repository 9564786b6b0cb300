"""Options that authors of messages are asked for while a person types: waited for in memory, for some seconds.

Nothing of it is stored: who asks is there, and so is who answers, or the fallback is shown.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

from actors import limits
from actors.errors import NotFound, Overloaded, TooManyRequests
from actors.resources.actions import OptionsRequest

Options = dict[str, Any]
"""`options` and `option_groups`, as an element has them."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    request: OptionsRequest
    reply: "asyncio.Future[Options]"


class OptionRequests:
    def __init__(self) -> None:
        self._waiting: dict[str, _Waiting] = {}
        self._by_user: dict[int, int] = {}

    def open(self, request: OptionsRequest) -> "asyncio.Future[Options]":
        """Raises `TooManyRequests` or `Overloaded`. To be closed, answered or not."""
        user = request.user.key
        if self._by_user.get(user, 0) >= limits.OPTIONS_WAITING_OF_USER:
            raise TooManyRequests(f"{limits.OPTIONS_WAITING_OF_USER} of your requests for options wait for an answer.")
        if len(self._waiting) >= limits.OPTIONS_WAITING:
            raise Overloaded(f"{len(self._waiting)} requests for options wait for an answer; retry.")
        reply: asyncio.Future[Options] = asyncio.get_running_loop().create_future()
        self._waiting[request.id] = _Waiting(request, reply)
        self._by_user[user] = self._by_user.get(user, 0) + 1
        return reply

    def close(self, request: OptionsRequest) -> None:
        if self._waiting.pop(request.id, None) is None:
            return
        left = self._by_user.pop(request.user.key) - 1
        if left:
            self._by_user[request.user.key] = left

    def answer(self, request_id: str, author_key: int, options: Options) -> None:
        """The author's answer, accepted once. Raises `NotFound` when no request waits for it."""
        waiting = self._waiting.get(request_id)
        if waiting is None or waiting.request.author.key != author_key or waiting.reply.done():
            raise NotFound("request for options", request_id)
        waiting.reply.set_result(options)

    def __len__(self) -> int:
        return len(self._waiting)
