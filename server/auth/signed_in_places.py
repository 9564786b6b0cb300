"""Where users are signed in: tokens of other issuers that were used lately, then sessions, page by page."""

from itertools import islice

from actors.resources.sessions import EndSession, ListSessions, RevokeToken
from server.api.account_views import session_view
from server.api.cursors import integer
from server.api.registry import Call, Result
from server.auth.seen_tokens import SeenToken, token_view

_TOKENS = "t"
"""How the cursor of a page begins that begins with tokens."""


async def places(call: Call, user_id: str | None, limit: int, cursor: str | None) -> Result:
    tokens: list[SeenToken] = []
    if cursor is None or cursor.startswith(_TOKENS):
        seen = call.services.seen_tokens.of(user_id, integer(cursor, _TOKENS))
        tokens, cursor = list(islice(seen, limit + 1)), None
    shown = [token_view(token, call.identity) for token in tokens[:limit]]
    if len(tokens) > limit:
        return Result(shown, next_cursor=f"{_TOKENS}{tokens[limit - 1].number}", limit=limit)
    page = await call.services.ask(
        ListSessions(user_id=user_id, limit=max(1, limit - len(shown)), before=integer(cursor))
    )
    if len(shown) == limit:
        return Result(shown, next_cursor=f"{_TOKENS}0" if page.items else None, limit=limit)
    shown += [session_view(session, call.identity) for session in page.items]
    return Result(shown, next_cursor=page.next_cursor, limit=limit)


async def end_place(call: Call, place_id: str, reason: str) -> None:
    """One's own, or as an admin any user's. Raises `NotFound`."""
    token = call.services.seen_tokens.find(place_id)
    if token is not None and (call.identity.is_admin or token.identity.user.key == call.identity.user.key):
        await call.services.write_access(_revocation(call, token))
    else:
        command = EndSession(identity=call.identity, session_id=place_id, reason=reason, origin=call.origin)
        await call.services.write_access(command)


def _revocation(call: Call, token: SeenToken) -> RevokeToken:
    expires_at = token.identity.expires_at * 1000
    return RevokeToken(
        identity=call.identity, token_id=token.identity.token_id, user_id=token.identity.user.id,
        expires_at=expires_at, origin=call.origin,
    )  # fmt: skip
