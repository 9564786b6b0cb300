"""Joining a channel without a race, for a subscription and for the user's own channel alike."""

from collections.abc import Sequence

from actors.auth.identity import Identity
from actors.delivery.channel import Subscribe, Subscribed
from actors.delivery.connection import ShutGate
from actors.delivery.publication import Publication
from server.realtime.session.client_session import ClientSession
from server.realtime.session.source import Since, Source


async def join(
    session: ClientSession,
    identity: Identity,
    channel: str,
    source: Source,
    since: Since | None,
    *,
    watches: bool = False,
) -> tuple[Subscribed, Sequence[Publication] | None]:
    """Shut the gate, register, then read what was missed up to the head that registering answered; None where it
    cannot be delivered in full. The caller writes it and opens the gate."""
    session.connection.tell(ShutGate(channel))
    ask = Subscribe(identity, session.connection, watches, returning=since is not None)
    subscribed = await source.subscribe(ask)
    if since is None:
        return subscribed, ()
    missed = await source.missed(since, subscribed)
    session.services.measures.recovered(complete=missed is not None)
    return subscribed, missed
