"""`xp config` and `xp token`."""

import re
import shlex
import time
from typing import Any

import pytest

from actors.errors import XpError
from cli import settings
from cli.opening.keys import SECRET_FILE
from cli.serving import greeting
from cli.terminal.times import distance
from server.auth.secret_file import load_or_create_secret
from server.auth.tokens import TokenRules, TokenVerifier, inspect_unverified
from storage.lock import data_folder_lock
from tests.cli.conftest import SECRET, Xp

HOUR = 3_600


def claims_of(token: str) -> dict[str, Any]:
    return inspect_unverified(token.strip())[1]


# xp config


def test_every_setting_and_where_it_comes_from(xp: Xp) -> None:
    found = xp("config", "--json", "--data-dir", "elsewhere", PORT="9000").json
    assert list(found) == [setting.name for setting in settings.SETTINGS]
    assert found["PORT"] == {"value": "9000", "source": "environment"}
    assert found["DATA_DIR"] == {"value": "elsewhere", "source": "flag"}
    assert found["HOST"] == {"value": "127.0.0.1", "source": "default"}
    assert found["ALLOWED_DOMAINS"]["value"] == "rpotential.ai,globant.com"
    assert found["RATE_LIMITS"]["value"] == "on"
    assert found["JWT_ISSUER"] == {"value": None, "source": "default"}


def test_secrets_are_masked(xp: Xp) -> None:
    for ran in (xp("config"), xp("config", "--json")):
        assert ran.code == 0
        assert SECRET not in ran.out
        assert "••••" in ran.out
    assert xp("config", "--json", JWT_SECRET=None).json["JWT_SECRET"]["value"] is None


# xp token


def test_alone_it_prints_a_token_of_a_default_person_and_nothing_else(xp: Xp) -> None:
    ran = xp("token")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.count("\n") == 1
    claims = claims_of(ran.out)
    assert {name: claims[name] for name in ("sub", "email", "name", "domain", "role", "kind")} == {
        "sub": "dev", "email": "dev@rpotential.ai", "name": "Dev", "domain": "rpotential.ai", "role": "ADMIN",
        "kind": "HUMAN",
    }  # fmt: skip
    assert claims["exp"] - claims["iat"] == 12 * HOUR
    verified = TokenVerifier(TokenRules(("rpotential.ai",), SECRET.encode())).verify(ran.out.strip(), time.time())
    assert verified.role == "ADMIN"


def test_options_without_mint(xp: Xp) -> None:
    for words in ([], ["mint"]):
        claims = claims_of(
            xp("token", *words, "--sub", "a", "--email", "ana@x.org", "--name", "Ana", "--role", "USER", "--kind",
               "SERVICE", "--domain", "y.org", "--ttl", "15m").out
        )  # fmt: skip
        assert claims["exp"] - claims["iat"] == 15 * 60
        del claims["exp"], claims["iat"], claims["jti"]
        assert claims == {
            "sub": "a", "email": "ana@x.org", "name": "Ana", "domain": "y.org", "role": "USER", "kind": "SERVICE",
        }  # fmt: skip


def test_what_is_left_out_follows_from_what_is_given(xp: Xp) -> None:
    claims = claims_of(xp("token", "--email", "ana.li@globant.com").out)
    assert (claims["sub"], claims["domain"], claims["name"]) == ("ana.li", "globant.com", "Ana Li")
    claims = claims_of(xp("token", "--sub", "bot", ALLOWED_DOMAINS="x.org").out)
    assert (claims["email"], claims["name"]) == ("bot@x.org", "Bot")


def test_issuer_and_audience_are_those_that_the_server_asks_for(xp: Xp) -> None:
    claims = claims_of(xp("token", JWT_ISSUER="https://i", JWT_AUDIENCE="a").out)
    assert (claims["iss"], claims["aud"]) == ("https://i", "a")


@pytest.mark.parametrize(("text", "seconds"), [("30d", 30 * 24 * HOUR), ("1s", 1), ("2h", 2 * HOUR)])
def test_times(text: str, seconds: int, xp: Xp) -> None:
    claims = claims_of(xp("token", "--ttl", text).out)
    assert claims["exp"] - claims["iat"] == seconds


@pytest.mark.parametrize("text", ["0m", "5", "-1h", "soon", "5y", "4000d", "1.5h", ""])
def test_times_that_are_none(text: str, xp: Xp) -> None:
    ran = xp("token", "--ttl", text)
    assert ran.code == 2
    assert ran.out == ""
    assert "expected" in ran.err


def test_the_servers_secret_is_used_and_none_is_made(xp: Xp) -> None:
    """One that no server knows makes tokens that no server takes."""
    refused = xp("token", JWT_SECRET=None)
    assert refused.code == 1
    assert f"{xp.folder} has no {SECRET_FILE}" in refused.sentence
    assert "--data-dir" in refused.sentence
    assert not xp.folder.exists()
    xp.folder.mkdir()
    secret, _ = load_or_create_secret(xp.folder / SECRET_FILE)
    ran = xp("token", JWT_SECRET=None)
    assert ran.err == ""
    verifier = TokenVerifier(TokenRules(("rpotential.ai",), secret))
    assert verifier.verify(ran.out.strip(), time.time()).sub == "dev"


@pytest.mark.parametrize("theirs", ["JWT_SECRET", "JWT_JWKS_URL"])
def test_beside_a_server_with_other_keys_nothing_is_minted_that_it_would_refuse(xp: Xp, theirs: str) -> None:
    xp.folder.mkdir()
    load_or_create_secret(xp.folder / SECRET_FILE)  # of a time before, or for the server's own sessions
    with data_folder_lock(xp.folder, theirs):
        refused = xp("token", JWT_SECRET=None)
        assert refused.code == 1
        assert theirs in refused.sentence
        assert xp("token").code == 0, "with the secret that was named to it"
    with data_folder_lock(xp.folder, SECRET_FILE):
        assert xp("token", JWT_SECRET=None).code == 0


HINTS: dict[str, dict[str, str | None]] = {
    "nothing set": {},
    "another issuer, audience and domain": {
        "JWT_ISSUER": "https://i", "JWT_AUDIENCE": "us", "ALLOWED_DOMAINS": "x.org,y.org"
    },
    "any domain": {"ALLOWED_DOMAINS": "*"},
}  # fmt: skip


@pytest.mark.parametrize("case", HINTS)
def test_the_hint_at_start_works_as_it_stands(xp: Xp, case: str) -> None:
    """In another shell, which knows nothing of the server's settings."""
    set_there = {key: value for key, value in HINTS[case].items() if value is not None}
    folder = xp.folder / "a folder"
    chosen = settings.load({}, {"DATA_DIR": str(folder), **set_there})
    folder.mkdir(parents=True)
    secret, _ = load_or_create_secret(folder / SECRET_FILE)
    shown = re.search(r"\$\((.*)\)", greeting.hint(chosen, "http://127.0.0.1:1"))
    assert shown is not None
    words = shlex.split(shown[1])
    minted = xp(*words[words.index("token") :], JWT_SECRET=None, DATA_DIR="elsewhere").out.strip()
    rules = TokenRules(
        chosen["allowed_domains"], secret, issuer=chosen["jwt_issuer"], audience=chosen["jwt_audience"]
    )  # fmt: skip
    assert TokenVerifier(rules).verify(minted, time.time()).role == "ADMIN"


@pytest.mark.parametrize("keys", [{"JWT_SECRET": SECRET}, {"JWT_JWKS_URL": "https://i/keys"}])
def test_no_hint_where_it_would_not_work(keys: dict[str, str]) -> None:
    assert "xp" not in greeting.hint(settings.load({}, keys), "http://127.0.0.1:1")


def test_no_token_where_only_the_issuer_makes_them(xp: Xp) -> None:
    assert "JWT_JWKS_URL" in xp("token", JWT_SECRET=None, JWT_JWKS_URL="https://i/keys").sentence


def test_no_token_by_a_secret_that_no_server_takes(xp: Xp) -> None:
    assert xp("token", JWT_SECRET="short").sentence.startswith("JWT_SECRET must have at least 16 bytes, it has 5")


def test_no_token_that_no_server_takes(xp: Xp) -> None:
    assert "at most 8192 bytes" in xp("token", "--name", "n" * 9000).sentence


# xp token inspect


def test_a_good_token(xp: Xp) -> None:
    token = xp("token", "--ttl", "3d").out.strip()
    found = xp("token", "inspect", token, "--json").json
    assert found["header"]["alg"] == "HS256"
    assert found["claims"]["sub"] == "dev"
    assert (found["verified"], found["reason"]) == (True, None)
    shown = xp("token", "inspect", token).out
    assert "in 2 days" in shown
    assert "yes, this server accepts it" in shown


def test_it_reads_stdin_and_what_a_header_has(xp: Xp) -> None:
    token = xp("token").out
    assert xp("token", "inspect", "-", "--json", stdin=f"Bearer {token}").json["verified"]


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({"JWT_SECRET": "another secret, of which there are at least 32 bytes"}, "Invalid token signature"),
        ({"ALLOWED_DOMAINS": "x.org"}, "may not sign in"),
        ({"JWT_ISSUER": "https://i"}, "another issuer"),
        ({"JWT_SECRET": None}, "there is no secret in"),
        ({"JWT_SECRET": "short"}, "at least 16 bytes"),
        ({"JWT_SECRET": None, "JWT_JWKS_URL": "https://i/keys"}, "not accepted here"),
    ],
)
def test_tokens_that_this_server_would_not_take(environment: dict[str, str | None], reason: str, xp: Xp) -> None:
    token = xp("token").out.strip()
    found = xp("token", "inspect", token, "--json", **environment).json
    assert found["verified"] is False
    assert reason in found["reason"]
    assert "no: " in xp("token", "inspect", token, **environment).out
    assert not xp.folder.exists()  # to look makes nothing


def test_one_that_has_expired(xp: Xp, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as earlier:
        earlier.setattr(time, "time", lambda: 1_700_000_000.0)
        token = xp("token").out.strip()
    shown = xp("token", "inspect", token).out
    assert "days ago" in shown
    assert "no: The token has expired" in shown


def test_what_is_no_token(xp: Xp) -> None:
    assert xp("token", "inspect", "abc").sentence == "A token must be three parts of base64url, joined by dots."
    assert xp("token", "abc").code == 2


def test_a_token_cannot_write_to_the_terminal(xp: Xp) -> None:
    shown = xp("token", "inspect", xp("token", "--name", "\x1b[31mred").out.strip()).out
    assert "\x1b" not in shown


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (1, "in 1 second"),
        (90, "in 90 seconds"),
        (3 * HOUR, "in 3 hours"),
        (-400, "6 minutes ago"),
        (-1, "1 second ago"),
    ],
)
def test_distances(seconds: float, words: str) -> None:
    assert distance(seconds) == words


def test_errors_of_the_catalogue_are_told(xp: Xp) -> None:
    with pytest.raises(XpError):
        inspect_unverified("a.b.c")
    assert xp("token", "inspect", "a.b.c").sentence == "The token does not contain JSON objects."
