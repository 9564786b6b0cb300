"""Credentials: how long a revocation holds, and how what has expired is removed."""

from actors import commands, limits
from actors.auth.access_changes import ListAccessChanges
from actors.auth.identity import Identity, Origin
from actors.resources.sessions import RefreshSession, RevokeToken, StartSession
from storage.clock import now_ms
from storage.readers.answers import answer
from tests.builders import Ledger

HOUR = 3_600_000


def revoke(ledger: Ledger, root: Identity, expires_at: int) -> None:
    ledger.do(RevokeToken(identity=root, token_id="leaked", expires_at=expires_at))


def test_a_second_revocation_may_hold_longer_and_never_shorter(ledger: Ledger, root: Identity) -> None:
    now = now_ms()
    for expires_at in (now + HOUR, now + 3 * HOUR, now + 2 * HOUR):
        revoke(ledger, root, expires_at)
    assert ledger.sql("SELECT token_id, expires_at FROM revoked_token") == [("leaked", now + 3 * HOUR)]
    assert ledger.one("SELECT count(*) FROM audit WHERE action = 'revoke_token'") == 2, "the third changed nothing"


def test_a_change_says_until_when_a_revoked_token_would_be_good(ledger: Ledger, root: Identity) -> None:
    revoke(ledger, root, 2**41)
    (change,) = ledger.ask(answer, ListAccessChanges(0))
    assert (change.kind, change.ref, change.until) == ("token", "leaked", 2**41)


def test_a_session_goes_in_steps_with_its_refresh_tokens(ledger: Ledger, ana: Identity) -> None:
    origin = Origin("", "", "")
    ledger.do(StartSession(user_id=ana.user.id, method="LINK", refresh_hash=b"0", origin=origin))
    for number in range(4):
        ledger.do(RefreshSession(token_hash=b"%d" % number, next_hash=b"%d" % (number + 1), origin=origin))
    ledger.sql("UPDATE session SET expires_at = ?", now_ms() - limits.SESSION_SECONDS * 1000 - 1)
    left = []
    for _ in range(3):
        ledger.do(commands.Purge(2))
        left.append(tuple(ledger.one(f"SELECT count(*) FROM {table}") for table in ("session", "refresh_token")))
    assert left == [(1, 3), (1, 1), (0, 0)]
