"""Tokens of other issuers that were revoked, as long as they would be good."""

import time
from collections.abc import Callable, Mapping

from actors import limits


class RevokedTokens:
    """Tokens of other issuers that are taken no more, until a day after they have expired."""

    def __init__(self, known: Mapping[str, int | None], clock: Callable[[], float] = time.time) -> None:
        self._until = dict(known)
        self._clock = clock
        self._look_at = 0

    def __contains__(self, token_id: str) -> bool:
        return token_id in self._until

    def __len__(self) -> int:
        return len(self._until)

    def add(self, tokens: Mapping[str, int | None]) -> None:
        """Token → when it expires, in milliseconds since 1970; None where that is unknown."""
        self._until.update(tokens)
        if len(self._until) > self._look_at:
            before = (self._clock() - limits.ACCESS_CHANGES_SECONDS) * 1000
            self._until = {token: until for token, until in self._until.items() if until is None or until > before}
            self._look_at = max(limits.REVOKED_TOKENS_LOOKED_AT, 2 * len(self._until))
