"""`xp token revoke`."""

import time

import jwt
import pytest

from actors import limits
from server.auth.token_minting import mint_own
from server.auth.tokens import fingerprint
from tests.builders import Ledger
from tests.cli.conftest import SECRET, Xp, audited, by_terminal, sign_in


def revoked(ledger: Ledger) -> list[tuple[str, int]]:
    return ledger.sql("SELECT token_id, expires_at FROM revoked_token ORDER BY revoked_at")


def signed(**claims: object) -> str:
    return jwt.encode({"sub": "ana", "exp": int(time.time()) + 900, **claims}, SECRET, algorithm="HS256")


def test_a_whole_token_by_its_jti(xp: Xp, ledger: Ledger) -> None:
    expires_at = int(time.time()) + 900
    token = signed(jti="token-7", exp=expires_at)
    assert xp("token", "revoke", token).out == "Revoked token-7: no server accepts it any more.\n"
    assert revoked(ledger) == [("token-7", (expires_at + limits.TOKEN_LEEWAY_SECONDS) * 1000)]
    assert ledger.sql("SELECT kind, ref FROM access_change") == [("token", "token-7")]
    assert audited(ledger) == [by_terminal("revoke_token", "token-7")]
    assert xp("token", "revoke", token).code == 0  # as often as one likes
    assert len(revoked(ledger)) == 1


@pytest.mark.parametrize("claims", [{}, {"jti": ""}, {"jti": None}])
def test_a_whole_token_without_one_by_its_fingerprint(claims: dict[str, object], xp: Xp, ledger: Ledger) -> None:
    token = signed(**claims) if claims.get("jti", "") is not None else signed()
    assert xp("token", "revoke", "-", stdin=f"Bearer {token}\n").code == 0
    assert [token_id for token_id, _ in revoked(ledger)] == [fingerprint(token)]


@pytest.mark.parametrize("token_id", ["token-7", "a.b.c", "sha256:" + "0" * 64, "e", "Ünïcode"])
def test_a_jti_for_as_long_as_any_token_lives(token_id: str, xp: Xp, ledger: Ledger) -> None:
    assert xp("token", "revoke", token_id).code == 0
    ((kept, expires_at),) = revoked(ledger)
    assert kept == token_id
    assert abs(expires_at / 1000 - time.time() - limits.TOKEN_SECONDS_MAX) < 120


def test_one_that_has_expired_needs_none(xp: Xp, ledger: Ledger) -> None:
    assert xp("token", "revoke", signed(exp=1_000_000)).out == (
        "It expired 1970-01-12 13:47:10 UTC: no server accepts it any more.\n"
    )
    assert revoked(ledger) == []


@pytest.mark.parametrize(
    ("token", "sentence"),
    [
        ("", "jti: String should have at least 1 character."),
        ("j" * 256, "jti: String should have at most 255 characters."),
        (signed().replace(".", ""), "A token must be three parts of base64url, joined by dots."),
        ("eyJ.eyJ.x", "The token does not contain JSON objects."),
        (signed(jti=7), "jti: Input should be a valid string."),
        (signed(exp=True), "This token has no expiry (`exp`), so no server accepts it."),
        (signed(exp="soon"), "This token has no expiry (`exp`), so no server accepts it."),
        ("xpr_abc", "This is a refresh token; `xp session list` shows sessions, `xp session end ID` ends one."),
        ("xpl_abc", "This is a sign-in link; `xp session list` shows sessions, `xp session end ID` ends one."),
        ("xpk_abc", "This is an unknown API key."),
    ],
)
def test_what_is_no_token_of_another_issuer(token: str, sentence: str, xp: Xp, ledger: Ledger) -> None:
    assert xp("token", "revoke", token).sentence == sentence
    assert revoked(ledger) == []


def test_what_else_it_is_comes_with_what_to_do(xp: Xp, ledger: Ledger) -> None:
    ana = ledger.user("ana")
    session = sign_in(ledger, ana)
    token = mint_own(b"k" * 32, ana.user, session.id, ttl_seconds=900, now=time.time())
    assert xp("token", "revoke", token).sentence == (
        f"This is a token of a session; run: xp session end {session.id}"
    )  # fmt: skip
    made = xp("key", "create", ana.user.id, "--name", "bot", "--json").json
    assert xp("token", "revoke", made["key"]).sentence == f"This is an API key; run: xp key revoke {made['id']}"
