"""`xp token inspect`, of what the database knows: sessions, API keys, revoked tokens. See test_config_and_tokens.py."""

import http.server
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from actors.auth.identity import Identity
from actors.identifiers import new_id
from cli.opening.keys import SECRET_FILE
from server.auth.token_minting import mint_own, own_key
from tests.builders import Ledger, user
from tests.cli.conftest import SECRET, Xp, sign_in
from tests.serving import free_port

KEY = own_key(SECRET.encode())


def inspect(xp: Xp, token: str, **environment: str | None) -> Any:
    return xp("token", "inspect", token, "--json", **environment).json


def access_token(who: Identity, session_id: str, *, age: float = 0, key: bytes = KEY) -> str:
    return mint_own(key, who.user, session_id, ttl_seconds=900, now=time.time() - age)


# Sessions


def test_a_token_of_a_session(xp: Xp, ledger: Ledger) -> None:
    ana = ledger.user("ana")
    session = sign_in(ledger, ana)
    token = access_token(ana, session.id)
    found = inspect(xp, token)
    assert (found["kind"], found["verified"], found["reason"]) == ("session", True, None)
    assert found["header"]["kid"] == "self"
    assert (found["session"]["id"], found["session"]["ended_at"]) == (session.id, None)
    assert found["user"]["id"] == ana.user.id
    shown = xp("token", "inspect", token).out
    assert f"{session.id}, until 20" in shown
    assert "ana (ana@example.com), USER, ACTIVE" in shown
    assert "yes, this server accepts it" in shown


def test_its_session_is_told_of_also_when_it_has_expired_itself(xp: Xp, ledger: Ledger) -> None:
    ana = ledger.user("ana")
    session = sign_in(ledger, ana)
    found = inspect(xp, access_token(ana, session.id, age=3600))
    assert found["session"]["id"] == session.id
    assert (found["verified"], found["reason"]) == (False, "The token has expired; sign in again or refresh it.")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("UPDATE session SET ended_at = 1, end_reason = 'signed out'", "Its session has ended: signed out."),
        ("UPDATE session SET expires_at = 1", "Its session has expired."),
        ("UPDATE user SET status = 'DEACTIVATED'", "The account is deactivated."),
        ("DELETE FROM session", "Its session is unknown here."),
    ],
)
def test_what_has_become_of_a_session(change: str, reason: str, xp: Xp, ledger: Ledger) -> None:
    ana = ledger.user("ana")
    token = access_token(ana, sign_in(ledger, ana).id)
    ledger.sql("DELETE FROM refresh_token")
    ledger.sql(change)
    found = inspect(xp, token)
    assert (found["verified"], found["reason"]) == (False, reason)
    assert f"no: {reason}" in xp("token", "inspect", token).out


def test_a_token_of_another_servers_session(xp: Xp, ledger: Ledger) -> None:
    ana = ledger.user("ana")
    forged = access_token(ana, sign_in(ledger, ana).id, key=b"x" * 32)
    assert inspect(xp, forged)["reason"] == "Invalid token signature."


def test_the_key_may_be_that_of_the_data_folder(xp: Xp, ledger: Ledger) -> None:
    ana = ledger.user("ana")
    (xp.folder / SECRET_FILE).write_bytes(b"s" * 40)
    (xp.folder / SECRET_FILE).chmod(0o600)
    token = access_token(ana, sign_in(ledger, ana).id, key=own_key(b"s" * 40))
    for issuer in (None, "https://issuer.invalid/keys"):
        assert inspect(xp, token, JWT_SECRET=None, JWT_JWKS_URL=issuer or "")["verified"] is True


def test_without_a_database_a_session_is_not_asked_for(xp: Xp) -> None:
    forged = mint_own(KEY, user(1), new_id(), ttl_seconds=900, now=time.time())
    found = inspect(xp, forged)
    assert found["session"] is None
    assert not xp.folder.exists()


# Tokens of other issuers


def test_whom_a_token_speaks_for(xp: Xp, ledger: Ledger) -> None:
    token = xp("token", "--sub", "sub-ana", "--role", "USER").out.strip()
    assert inspect(xp, token)["user"] is None  # made on first sight
    ana = ledger.user("ana").user
    found = inspect(xp, token)
    assert (found["kind"], found["user"]["id"], found["verified"]) == ("token", ana.id, True)
    xp("user", "deactivate", ana.id)
    assert inspect(xp, token)["reason"] == "The account is deactivated."


def test_whom_a_token_speaks_for_that_is_linked_by_its_issuer(xp: Xp, ledger: Ledger) -> None:
    """The same `sub` is another person's at another issuer."""
    ledger.user("ana")  # by the subject sub-ana
    bo = ledger.user("bo").user
    ledger.sql("INSERT INTO external_account (issuer, subject, user_id, created_at) VALUES (?, ?, ?, 0)",
               "https://login.example.com", "sub-ana", bo.key)  # fmt: skip
    issuer = {"JWT_ISSUER": "https://login.example.com"}
    token = xp("token", "--sub", "sub-ana", "--role", "USER", **issuer).out.strip()
    assert inspect(xp, token, **issuer)["user"]["id"] == bo.id


def test_a_revoked_one(xp: Xp, ledger: Ledger) -> None:
    token, other = (xp("token").out.strip() for _ in range(2))
    assert xp("token", "revoke", token).code == 0
    found = inspect(xp, token)
    assert (found["verified"], found["reason"]) == (False, "It was revoked.")
    assert inspect(xp, other)["verified"] is True


@pytest.fixture
def issuer() -> Iterator[tuple[str, Ed25519PrivateKey]]:
    """(URL of its keys, the private one)"""
    private = Ed25519PrivateKey.generate()
    public = json.loads(jwt.algorithms.OKPAlgorithm.to_jwk(private.public_key()))
    document = json.dumps({"keys": [public | {"kid": "k1", "use": "sig", "alg": "EdDSA"}]}).encode()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(document)

        def log_message(self, *_: Any) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/keys", private
    server.shutdown()
    thread.join()
    server.server_close()


def signed(key: Ed25519PrivateKey, kid: str = "k1") -> str:
    claims = {"sub": "ana", "email": "ana@rpotential.ai", "exp": time.time() + 900}
    return jwt.encode(claims, key, algorithm="EdDSA", headers={"kid": kid})


def test_the_issuers_keys_are_fetched(xp: Xp, issuer: tuple[str, Ed25519PrivateKey]) -> None:
    url, key = issuer
    settings = {"JWT_SECRET": None, "JWT_JWKS_URL": url}
    assert inspect(xp, signed(key), **settings)["verified"] is True
    assert (
        inspect(xp, signed(key, "k2"), **settings)["reason"]
        == "The token's key (`kid`) is not among the issuer's keys."
    )
    forged = signed(Ed25519PrivateKey.generate())
    assert inspect(xp, forged, **settings)["reason"] == "Invalid token signature."


def test_keys_that_cannot_be_fetched(xp: Xp, issuer: tuple[str, Ed25519PrivateKey], closed_port: int) -> None:
    url = f"http://127.0.0.1:{closed_port}/keys"
    found = inspect(xp, signed(issuer[1]), JWT_SECRET=None, JWT_JWKS_URL=url)
    assert found["reason"] == f"the issuer's keys could not be fetched from {url}."
    unsafe = inspect(xp, signed(issuer[1]), JWT_SECRET=None, JWT_JWKS_URL="http://example.com/keys")
    assert "must be https" in unsafe["reason"]


@pytest.fixture
def closed_port() -> int:
    return free_port()


# API keys


def test_an_api_key(xp: Xp, ledger: Ledger) -> None:
    ana = ledger.user("ana").user
    made = xp("key", "create", ana.id, "--name", "bot", "--scope", "read", "--expires", "90d", "--json").json
    found = inspect(xp, made["key"])
    assert (found["kind"], found["verified"], found["claims"]) == ("api_key", True, None)
    assert (found["api_key"]["id"], found["api_key"]["scopes"]) == (made["id"], ["read"])
    assert found["api_key"]["key"] is None
    assert found["user"]["id"] == ana.id
    shown = xp("token", "inspect", "-", stdin=f"Authorization: Bearer {made['key']}".partition(": ")[2]).out
    for part in (made["id"], "bot", "read", "in 89 days", "ana (ana@example.com)", "yes, this server accepts it"):
        assert part in shown
    assert ledger.one("SELECT last_used_at FROM api_key") is None  # to look is not to use


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("UPDATE api_key SET revoked_at = 1000", "It was revoked 1970-01-01 00:00:01 UTC ("),
        ("UPDATE api_key SET expires_at = 1", "It has expired."),
        ("UPDATE user SET status = 'DEACTIVATED'", "The account is deactivated."),
        ("DELETE FROM api_key", "It is not an API key of this server."),
    ],
)
def test_what_has_become_of_a_key(change: str, reason: str, xp: Xp, ledger: Ledger) -> None:
    ledger.user("ana")
    key = xp("key", "create", "ana@example.com", "--name", "bot").out.strip()
    ledger.sql(change)
    found = inspect(xp, key)
    assert found["verified"] is False
    assert found["reason"].startswith(reason)
    assert f"no: {reason}" in xp("token", "inspect", key).out


@pytest.mark.parametrize(("text", "said"), [("xpr_abc", "a refresh token"), ("xpl_abc", "a sign-in link")])
def test_what_is_only_traded(text: str, said: str, xp: Xp) -> None:
    assert said in xp("token", "inspect", text).sentence


def test_an_api_key_needs_the_database(xp: Xp) -> None:
    assert "there is no database" in xp("token", "inspect", "xpk_abc").sentence
