"""Tokens of other issuers that were used lately: who comes by one sees them beside their sessions, and ends them.

In memory: a server that starts anew knows a token again with its next use. Confined to the event loop.
"""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from actors import limits
from actors.auth.access_changes import AccessChanges
from actors.auth.identity import Identity
from server.api.render import iso_time
from server.http.headers.peers import Peer

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(slots=True)
class SeenToken:
    id: str
    """Made of user and token: the same after a restart, and at every server."""
    number: int
    """Grows from first sight to first sight."""
    identity: Identity
    address: str
    user_agent: str
    first_seen: float
    last_seen: float


class SeenTokens:
    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._known: OrderedDict[str, SeenToken] = OrderedDict()
        """The one that came first is the first to go."""
        self._users: dict[int, dict[str, SeenToken]] = {}
        self._number = 0

    def is_due(self, identity: Identity) -> bool:
        """Whether this use is to be noted; asked with every request, so it costs next to nothing."""
        if not identity.token_id:
            return False
        seen = self._users.get(identity.user.key, _NONE).get(identity.token_id)
        return seen is None or self._clock() - seen.last_seen >= limits.SEEN_SECONDS

    def note(self, identity: Identity, peer: Peer) -> None:
        theirs = self._users.setdefault(identity.user.key, {})
        seen, now = theirs.get(identity.token_id), self._clock()
        if seen is not None:
            seen.identity, seen.address, seen.user_agent, seen.last_seen = identity, peer.address, peer.user_agent, now
            return
        self._number += 1
        token = SeenToken(_id(identity), self._number, identity, peer.address, peer.user_agent, now, now)
        theirs[identity.token_id] = self._known[token.id] = token
        if len(theirs) > limits.TOKENS_LISTED_PER_USER:
            self._drop(next(iter(theirs.values())))
        if len(self._known) > limits.TOKENS_LISTED:
            self._drop(next(iter(self._known.values())))

    def of(self, user_id: str | None, before: int | None = None) -> Iterator[SeenToken]:
        """Those that are still good, of one user or of all, the newest first."""
        now = self._clock()
        for token in reversed(self._known.values()):
            good = token.identity.expires_at > now and (user_id is None or token.identity.user.id == user_id)
            if good and (before is None or token.number < before):
                yield token

    def find(self, token_id: str) -> SeenToken | None:
        """By the id that lists show."""
        return self._known.get(token_id)

    def forget(self, changes: AccessChanges) -> None:
        """Those that were revoked."""
        revoked = {change.ref for change in changes if change.kind == "token"}
        for token in [each for each in self._known.values() if each.identity.token_id in revoked] if revoked else ():
            self._drop(token)

    def _drop(self, token: SeenToken) -> None:
        del self._known[token.id]
        key = token.identity.user.key
        del self._users[key][token.identity.token_id]
        if not self._users[key]:
            del self._users[key]


_NONE: dict[str, SeenToken] = {}


def _id(identity: Identity) -> str:
    digest = hashlib.sha256(f"{identity.user.id}\0{identity.token_id}".encode(errors="surrogatepass")).digest()
    number, letters = int.from_bytes(digest), []
    for _ in range(24):
        number, digit = divmod(number, 36)
        letters.append(_DIGITS[digit])
    return "c" + "".join(letters)


def token_view(token: SeenToken, viewer: Identity) -> dict[str, Any]:
    """As a session is shown."""
    identity = token.identity
    is_current = (identity.user.id, identity.token_id) == (viewer.user.id, viewer.token_id)
    return {
        "id": token.id,
        "user_id": identity.user.id,
        "method": "TOKEN",
        "issuer": identity.issuer or None,
        "token_id": identity.token_id,
        "address": token.address,
        "user_agent": token.user_agent,
        "current": is_current,
        "created_at": iso_time(int(token.first_seen * 1000)),
        "last_seen_at": iso_time(int(token.last_seen * 1000)),
        "expires_at": iso_time((identity.expires_at - limits.TOKEN_LEEWAY_SECONDS) * 1000),
    }
