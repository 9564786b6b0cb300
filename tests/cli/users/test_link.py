"""`xp user link`: how the first administrator comes in."""

import pytest

from actors import limits
from actors.auth.identity import Origin
from actors.errors import Unauthenticated
from actors.resources.sessions import FollowLink, SignedIn
from server.auth.issued_secrets import hash_of
from tests.builders import Ledger
from tests.cli.conftest import Xp, audited, by_terminal

DAY = limits.SIGN_IN_LINK_SECONDS * 1000


def follow(ledger: Ledger, link: str) -> SignedIn:
    command = FollowLink(
        link_hash=hash_of(link), password=None, refresh_hash=hash_of("r" + link), origin=Origin("", "", "")
    )  # fmt: skip
    signed_in = ledger.do(command).result
    assert isinstance(signed_in, SignedIn)
    return signed_in


def test_the_first_administrator(xp: Xp, ledger: Ledger) -> None:
    xp("user", "create", "ana@rpotential.ai", "--role", "ADMIN")
    ran = xp("user", "link", "ana@rpotential.ai")
    assert (ran.code, ran.err) == (0, "")
    link = ran.out.splitlines()[0]
    assert link.startswith("xpl_")
    assert ran.out.splitlines()[4:6] == [
        "curl -sS http://127.0.0.1:8787/api/v1/auth/login -H 'Content-Type: application/json' \\",
        f'     -d \'{{"link": "{link}"}}\'',
    ]
    assert "It signs in ana (ana@rpotential.ai), once, until 20" in ran.out
    assert follow(ledger, link).user.role == "ADMIN"
    with pytest.raises(Unauthenticated):
        follow(ledger, link)


def test_it_is_good_for_a_day_and_kept_as_a_hash(xp: Xp, ledger: Ledger) -> None:
    ana = ledger.user("ana").user
    made = xp("user", "link", ana.id, "--json").json
    assert made.keys() == {"user_id", "link", "expires_at", "curl"}
    assert made["user_id"] == ana.id
    assert made["link"] in made["curl"]
    ((kept, made_at, expires_at),) = ledger.sql("SELECT hash, created_at, expires_at FROM sign_in_link")
    assert kept == hash_of(made["link"])
    assert abs(expires_at - made_at - DAY) < 60_000
    assert made["link"].encode() not in xp.database.read_bytes()
    assert audited(ledger) == [by_terminal("create_sign_in_link", ana.id)]
    assert made["link"] not in str(ledger.sql("SELECT * FROM audit"))


@pytest.mark.parametrize(
    ("arguments", "environment", "shown"),
    [
        (["--url", "https://chat.example.com/"], {}, "https://chat.example.com/api/v1/auth/login"),
        ([], {"HOST": "0.0.0.0", "PORT": "9000"}, "http://127.0.0.1:9000/api/v1/auth/login"),
        ([], {"HOST": "::", "PORT": "9000"}, "'http://[::1]:9000/api/v1/auth/login'"),
        (["--url", "https://x/$(rm)"], {}, "'https://x/$(rm)/api/v1/auth/login'"),
    ],
)
def test_where_the_server_is(
    arguments: list[str], environment: dict[str, str], shown: str, xp: Xp, ledger: Ledger
) -> None:
    ledger.user("ana")
    assert f"curl -sS {shown} " in xp("user", "link", "ana@example.com", *arguments, **environment).out


def test_where_it_cannot_be(xp: Xp, ledger: Ledger) -> None:
    ledger.user("ana")
    wrong = xp("user", "link", "ana@example.com", "--url", "chat.example.com")
    assert wrong.code == 2
    assert "expected an http or https URL" in wrong.err
    assert "--url" in xp("user", "link", "ana@example.com", PORT="0").sentence
    assert ledger.one("SELECT count(*) FROM sign_in_link") == 0


def test_one_who_may_not_come_in(xp: Xp, ledger: Ledger) -> None:
    ledger.user("ana")
    ran = xp("user", "link", "ana@example.com")
    assert ran.code == 0
    assert ran.err.startswith("The user may not sign in: Users of 'example.com' may not sign in; ALLOWED_DOMAINS")
    assert xp("user", "link", "ana@example.com", ALLOWED_DOMAINS="example.com").err == ""


def test_nobody_and_the_deactivated(xp: Xp, ledger: Ledger) -> None:
    assert xp("user", "link", "nobody").sentence == "There is no user 'nobody'."
    ledger.user("ana")
    xp("user", "deactivate", "ana@example.com")
    refused = xp("user", "link", "ana@example.com", ALLOWED_DOMAINS="example.com")
    assert (refused.code, refused.out) == (1, "")
    assert refused.err.splitlines()[-1] == "Error: This account is deactivated."
