"""The user's own channel, `user:<id>`: the reply to connect subscribes every client to it.

A client that comes back names its position (`subs` of connect), and the reply holds what it has missed.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from actors.auth.identity import Identity
from actors.delivery.channel import Subscribed
from actors.delivery.connection import OpenGate
from actors.delivery.publication import Publication
from actors.errors import XpError
from server.realtime.session.channels import position_of
from server.realtime.session.client_session import ClientSession
from server.realtime.session.joining import join
from server.realtime.session.source import Since
from server.realtime.session.sources import UserSource


async def connected(
    session: ClientSession, identity: Identity, number: int, fields: Mapping[str, Any], asked: object
) -> bytes | None:
    """The result of connect; None where the reply is written in its order with what was missed."""
    if not identity.has_scope("read"):
        return session.codec.result("connect", fields)
    channel = f"user:{identity.user.id}"
    since = _since(asked, channel)
    if since is not None:
        await _recover(session, identity, number, fields, channel, since)
        return None
    # Without a gate: nothing is written between this and the reply, since later messages to the connection wait.
    head = session.services.users.join(identity.user, session.connection)
    made = session.codec.subscribed(session.services.epoch_of(channel), head, None, was_recovering=False)
    return session.codec.connected(fields, {channel: made})


def _since(asked: object, channel: str) -> Since | None:
    given = asked.get(channel) if isinstance(asked, Mapping) else None
    return position_of(given) if isinstance(given, Mapping) and given.get("recover") is True else None


async def _recover(
    session: ClientSession, identity: Identity, number: int, fields: Mapping[str, Any], channel: str, since: Since
) -> None:
    missed: Sequence[Publication] | None
    try:
        subscribed, missed = await join(session, identity, channel, UserSource(session, identity), since)
    except XpError:  # connecting does not fail because the log cannot be read: the client fetches its state again
        if session.connection.actor_stopped.is_set():
            return  # it has left already
        subscribed = Subscribed(session.services.users.join(identity.user, session.connection), None)
        missed = None
    made = session.codec.subscribed(session.services.epoch_of(channel), subscribed.offset, missed, was_recovering=True)
    wire = session.codec.reply(number, "connect", session.codec.connected(fields, {channel: made}))
    session.connection.tell(OpenGate(channel, wire, subscribed.offset))
