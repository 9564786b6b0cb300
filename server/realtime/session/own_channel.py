"""One's own channel, `user:<id>`: every client gets it with the reply to connect, without asking for it.

A client that has been here before says how far it knows it (`subs` of connect) and is told what it has missed.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from actors.auth.identity import Identity
from actors.delivery.channel import Subscribe, Subscribed
from actors.delivery.connection import OpenGate, ShutGate
from actors.errors import XpError
from server.realtime.session.channels import position_of
from server.realtime.session.sources import Since, UserSource

if TYPE_CHECKING:
    from server.realtime.session.session import Session


async def connected(
    session: "Session", identity: Identity, number: int, told: Mapping[str, Any], asked: object
) -> bytes | None:
    """The result of connect; None where the reply is written in its order with what was missed."""
    if identity.scopes is not None and "read" not in identity.scopes:
        return session.codec.result("connect", told)
    channel = f"user:{identity.user.id}"
    since = _since(asked, channel)
    if since is not None:
        await _recover(session, identity, number, told, channel, since)
        return None
    # Nothing comes between this and the reply: whatever is told to the connection later is written later.
    head = session.services.users.join(identity.user, session.connection)
    made = session.codec.subscribed(session.services.epoch_of(channel), head, None, was_recovering=False)
    return session.codec.connected(told, {channel: made})


def _since(asked: object, channel: str) -> Since | None:
    given = asked.get(channel) if isinstance(asked, Mapping) else None
    return position_of(given) if isinstance(given, Mapping) and given.get("recover") is True else None


async def _recover(
    session: "Session", identity: Identity, number: int, told: Mapping[str, Any], channel: str, since: Since
) -> None:
    session.connection.tell(ShutGate(channel))
    source = UserSource(session, identity)
    try:
        subscribed: Subscribed = await source.actor().ask(Subscribe(identity, session.connection), block=False)
        missed = await source.missed(since, subscribed)
    except XpError:  # the client is who it is, all the same; it reads anew what it cannot be told
        subscribed = Subscribed(session.services.users.join(identity.user, session.connection), None)
        missed = None
    made = session.codec.subscribed(session.services.epoch_of(channel), subscribed.offset, missed, was_recovering=True)
    wire = session.codec.reply(number, "connect", session.codec.connected(told, {channel: made}))
    session.connection.tell(OpenGate(channel, wire, subscribed.offset))
