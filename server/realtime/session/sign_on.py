"""Whom a session speaks for: connect and refresh, and the end that comes when its token does."""

import asyncio
from collections.abc import Mapping
from typing import Any

from actors import limits
from actors.auth.identity import Identity
from actors.errors import Forbidden, TokenExpired, Unauthenticated
from server.realtime.protocol import codes as protocol
from server.realtime.protocol.codes import Refused
from server.realtime.session import user_channel
from server.realtime.session.client_session import ClientSession
from server.telemetry.measures import sdk_name


class SignOn:
    __slots__ = ("_has_ended", "_loop", "_session", "_session_id", "_timer", "_upgrade_token")

    def __init__(
        self,
        session: ClientSession,
        loop: asyncio.AbstractEventLoop,
        upgrade_token: str | None,
        session_id: str | None,
    ) -> None:
        """`upgrade_token` came with the HTTP request; a token in the connect command goes before it. `session_id` is
        sent to the client."""
        self._session = session
        self._loop = loop
        self._upgrade_token = upgrade_token
        self._session_id = session_id
        self._has_ended = False
        self._timer: asyncio.TimerHandle | None = loop.call_later(
            limits.CONNECT_SECONDS, session.close, *protocol.STALE
        )
        """Closes a connection that does not authenticate, or whose token has expired."""

    async def connect(self, number: int, body: Mapping[str, Any]) -> bytes | None:
        session = self._session
        if session.identity is not None:
            session.close(protocol.BAD_REQUEST[0], "bad request: connected already")
            return None
        session.sdk = sdk_name(body.get("name"))
        token = body.get("token") or self._upgrade_token
        by_command = bool(body.get("token"))
        if not isinstance(token, str):
            session.close(
                protocol.INVALID_TOKEN[0], "invalid token: send one with connect, or a cookie with the upgrade"
            )
            return None
        try:
            identity = await self._identify(token)
        except Forbidden as error:
            session.close(protocol.PERMISSION_DENIED[0], error.code)
            return None
        if identity is None or not self._sit(identity.user.key):
            return None
        self._set_identity(identity)
        fields = {
            "client": session.client_id,
            "version": f"experience-server {session.services.version}",
            "ping": int(session.services.hub.ping_seconds),
            "pong": True,
            "node": session.services.node_id,
            **({"session": self._session_id} if self._session_id is not None else {}),
            **(self._time_to_live(identity) if by_command else {}),
        }
        return await user_channel.connected(session, identity, number, fields, body.get("subs"))

    async def refresh(self, number: int, body: Mapping[str, Any]) -> bytes | None:
        session, known = self._session, self._session.identity
        token = body.get("token")
        if not isinstance(token, str) or not token:
            raise Refused(protocol.BAD_COMMAND, "bad request: refresh needs a `token`")
        identity = await self._identify(token)
        if identity is None:
            return None
        assert known is not None
        if identity.user.key != known.user.key:
            session.close(protocol.INVALID_TOKEN[0], "invalid token: it is another user's")
            return None
        if (known.is_admin and not identity.is_admin) or (known.has_scope("read") and not identity.has_scope("read")):
            session.close(*protocol.EXPIRED)  # its subscriptions needed those rights: it reconnects with its new ones
            return None
        self._set_identity(identity)
        fields = {"client": session.client_id, "version": session.services.version, **self._time_to_live(identity)}
        return session.codec.result("refresh", fields)

    async def _identify(self, token: str) -> Identity | None:
        """None where the session was closed for it. Raises `TokenExpired`, which clients answer with another token."""
        services, address = self._session.services, self._session.peer.address
        try:
            identity = await services.identify(token, address)
            # What ends access between the answer and now has found no identity here to close: ask again.
            while services.tokens.get(token) is not identity:
                identity = await services.identify(token, address)
        except TokenExpired:
            raise
        except Unauthenticated:
            self._session.close(*protocol.INVALID_TOKEN)
            return None
        return identity

    def _sit(self, user_key: int) -> bool:
        """Take one of the connections that a user may hold; a socket that has gone meanwhile takes none."""
        if self._has_ended:
            return False
        if not self._session.services.hub.users.take(user_key):
            self._session.close(*protocol.CONNECTION_LIMIT)
            return False
        return True

    def _set_identity(self, identity: Identity) -> None:
        is_new, self._session.identity = self._session.identity is None, identity
        seen = self._session.services.seen_tokens
        if seen.is_due(identity):
            seen.note(identity, self._session.peer)
        if is_new:
            self._session.services.activity.came(identity.user.key, self._session)
            self._session.welcome()
        if self._session.carrier is not None:
            self._session.carrier.user_key = identity.user.key
        if not self._has_ended:  # else the socket went while the token was judged: nobody would stop a timer
            self._stop_timer()
            self.look()

    def look(self) -> None:
        """A timer only for the last of a token's time: its 600 bytes would be a thirtieth of an idle connection."""
        identity = self._session.identity
        if self._timer is None and identity is not None:
            seconds = self._session.seconds_until(identity.expires_at)
            interval = max(self._session.services.hub.ping_seconds, limits.PONG_SECONDS)
            if seconds < limits.PINGS_BEFORE_EXPIRY * interval:
                self._timer = self._loop.call_later(seconds, self._session.close, *protocol.EXPIRED)

    def _time_to_live(self, identity: Identity) -> dict[str, Any]:
        return {"expires": True, "ttl": self._session.time_to_live(identity.expires_at)}

    def end(self) -> None:
        self._has_ended = True
        self._stop_timer()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
