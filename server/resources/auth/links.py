"""Sign-in by a link: from an administrator, or in a mail."""

from actors.errors import Unauthenticated
from actors.resources.sessions import LINK_IS_NONE, FindUserByLink, FollowLink, SignedIn
from actors.resources.users import User
from server.api.registry import Call
from server.auth.issued_secrets import REFRESH_PREFIX, Secret, new_secret


async def follow(call: Call, link_hash: bytes, new_password: str | None = None) -> tuple[SignedIn, Secret]:
    """The session that a link makes, once, and its refresh token. Raises `Unauthenticated`, `Forbidden` and
    `TooManyRequests`."""
    user = await call.services.ask(FindUserByLink(link_hash))
    if user is None:
        raise Unauthenticated(LINK_IS_NONE)
    call.services.sign_ins.must_come_in(user)
    take_sign_in(call, user)
    refresh, passwords = new_secret(REFRESH_PREFIX), call.services.sign_ins.passwords
    command = FollowLink(
        link_hash=link_hash, refresh_hash=refresh.hash, origin=call.origin,
        password=await passwords.hash(new_password, call.peer.address) if new_password is not None else None,
    )  # fmt: skip
    done = await (call.services.write(command) if new_password is None else call.services.write_access(command))
    return done.result, refresh


def take_sign_in(call: Call, user: User) -> None:
    """Each one that is good makes a session and an entry in the audit log. Raises `TooManyRequests`."""
    if call.services.limiter is not None:
        call.services.limiter.take("sign_in", user.key)


def give_back(call: Call) -> None:
    """An attempt that was no failure does not count."""
    if call.services.limiter is not None:
        call.services.limiter.give_back(call.operation, call.peer.address)
