"""Sessions: who may not come back by a provider, and which refresh tokens are kept."""

import pytest

from actors import limits
from actors.auth.identity import Identity, Origin
from actors.errors import Unauthenticated
from actors.resources.sessions import RefreshSession, SignedIn, SignInByProvider, StartSession
from actors.resources.users import DeleteUser
from tests.builders import Ledger

ORIGIN = Origin("", "", "")
MONTH = limits.SESSION_SECONDS * 1000


def arrive(ledger: Ledger, *, email: str = "ana@example.com", secret: bytes = b"first") -> SignedIn:
    """By a provider, which knows this person by one subject."""
    command = SignInByProvider(
        issuer="https://login.example.com", subject="ana", email=email, name="Ana", avatar_url=None,
        domain="example.com", refresh_hash=secret, origin=ORIGIN,
    )  # fmt: skip
    signed_in = ledger.do(command).result
    assert isinstance(signed_in, SignedIn)
    return signed_in


@pytest.mark.parametrize("email", ["ana@example.com", "", "new@example.com"])
def test_a_deleted_user_does_not_come_back_by_a_provider(ledger: Ledger, root: Identity, email: str) -> None:
    user = arrive(ledger).user
    ledger.do(DeleteUser(identity=root, user_id=user.id))
    users = ledger.one("SELECT count(*) FROM user")
    with pytest.raises(Unauthenticated, match="deactivated"):
        arrive(ledger, email=email, secret=b"second")
    assert ledger.one("SELECT count(*) FROM user") == users
    assert ledger.one("SELECT count(*) FROM session") == 0


# Refresh tokens


def start(ledger: Ledger, who: Identity) -> None:
    ledger.do(StartSession(user_id=who.user.id, method="LINK", refresh_hash=b"0", origin=ORIGIN))


def refresh(ledger: Ledger, number: int) -> None:
    """Trade one token for the next."""
    ledger.do(RefreshSession(token_hash=b"%d" % number, next_hash=b"%d" % (number + 1), origin=ORIGIN))


def kept(ledger: Ledger) -> list[int]:
    return [int(value) for (value,) in ledger.sql("SELECT hash FROM refresh_token ORDER BY id")]


def test_refresh_tokens_that_were_used_a_month_ago_are_forgotten(ledger: Ledger, ana: Identity) -> None:
    start(ledger, ana)
    for number in range(3):
        refresh(ledger, number)
    ledger.sql("UPDATE refresh_token SET used_at = used_at - ? WHERE hash IN (x'30', x'31')", MONTH + 1)
    ledger.sql("UPDATE refresh_token SET used_at = used_at - ? WHERE hash = x'32'", MONTH - 60_000)
    refresh(ledger, 3)
    assert kept(ledger) == [2, 3, 4], "one of less than a month still ends the session when it comes again"
    with pytest.raises(Unauthenticated, match="none of ours"):
        ledger.do(RefreshSession(token_hash=b"0", next_hash=b"1", origin=ORIGIN))


def test_old_refresh_tokens_of_long_ago_go_faster_than_new_ones_come(ledger: Ledger, ana: Identity) -> None:
    start(ledger, ana)
    for number in range(12):
        refresh(ledger, number)
    ledger.sql("UPDATE refresh_token SET used_at = used_at - ? WHERE used_at IS NOT NULL", MONTH + 1)
    for number in range(12, 16):
        refresh(ledger, number)
    assert kept(ledger) == [12, 13, 14, 15, 16]
