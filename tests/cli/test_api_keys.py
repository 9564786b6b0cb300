"""`xp key`."""

import pytest

from actors.auth.credential_lookups import ByApiKey
from actors.errors import Unauthenticated, XpError
from actors.resources.api_keys import UsedKey
from server.auth.issued_secrets import hash_of
from storage.resources.credentials import reading as credentials
from tests.builders import Ledger
from tests.cli.conftest import Xp, audited, by_terminal

HOUR = 3_600_000


def use(ledger: Ledger, key: str) -> UsedKey:
    (used,) = ledger.ask(credentials.find, [ByApiKey(hash_of(key))])
    if isinstance(used, XpError):
        raise used
    assert isinstance(used, UsedKey)
    return used


def test_the_key_alone_is_what_a_script_gets(xp: Xp, ledger: Ledger) -> None:
    bot = ledger.user("bot", kind="ASSISTANT").user
    ran = xp("key", "create", "bot@example.com", "--name", "Summariser", ALLOWED_DOMAINS="*")
    key = ran.out.strip()
    assert key.startswith("xpk_")
    used = use(ledger, key)
    assert (used.user.id, used.key.name, used.key.scopes) == (bot.id, "Summariser", ("read", "write"))
    assert ran.err == (
        f"Created key {used.key.id} for bot (bot@example.com): read, write, until it is revoked. "
        "It is shown only once.\n"
    )
    assert audited(ledger) == [by_terminal("create_api_key", used.key.id)]
    assert key.encode() not in xp.database.read_bytes()


def test_scopes_and_an_end(xp: Xp, ledger: Ledger) -> None:
    ledger.user("bot")
    arguments = ("--name", "n", "--scope", "write", "--scope", "read", "--scope", "write", "--expires", "2h", "--json")
    made = xp("key", "create", "bot@example.com", *arguments).json
    assert made["scopes"] == ["write", "read"]
    assert made["key"].startswith(made["prefix"])
    key = use(ledger, made["key"]).key
    assert key.expires_at is not None
    assert abs(key.expires_at - key.created_at - 2 * HOUR) < 60_000
    assert ", until 20" in xp("key", "create", "bot@example.com", "--name", "n", "--expires", "1d").err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--name", " "], "name: String should have at least 1 character."),
        (["--name", "n", "--expires", "5s"], "expires_in: Input should be greater than or equal to 60."),
        (["--name", "n", "--scope", "admin"], "The scope `admin` requires the role ADMIN; this user is USER."),
    ],
)
def test_the_rules_are_the_servers(arguments: list[str], sentence: str, xp: Xp, ledger: Ledger) -> None:
    ledger.user("bot")
    assert xp("key", "create", "bot@example.com", *arguments, ALLOWED_DOMAINS="*").sentence == sentence
    assert ledger.one("SELECT count(*) FROM api_key") == 0


@pytest.mark.parametrize(
    "arguments",
    [[], ["--name", "n", "--scope", "all"], ["--name", "n", "--expires", "soon"], ["--name", "n", "--expires", "0d"]],
)
def test_wrong_usage(arguments: list[str], xp: Xp, ledger: Ledger) -> None:
    ledger.user("bot")
    assert xp("key", "create", "bot@example.com", *arguments).code == 2


def test_a_key_for_administration(xp: Xp, ledger: Ledger) -> None:
    ledger.admin("root")
    made = xp("key", "create", "root@example.com", "--name", "n", "--scope", "admin", "--json").json
    assert made["scopes"] == ["admin"]


def test_lists(xp: Xp, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actors.limits.XP_PAGE", 2)
    for name in ("ana", "bo"):
        ledger.user(name)
    made = [
        xp("key", "create", f"{name}@example.com", "--name", f"key {n}", "--json").json
        for n, name in enumerate(("ana", "bo", "ana", "ana"))
    ]
    assert xp("key", "revoke", made[3]["id"]).out == f"Revoked key {made[3]['id']}, key 3.\n"
    found = xp("key", "list", "--json").json
    assert [key["id"] for key in found] == [key["id"] for key in made[2::-1]]
    assert all(key["key"] is None for key in found)
    theirs = xp("key", "list", "--user", "bo@example.com", "--json").json
    assert [key["id"] for key in theirs] == [made[1]["id"]]
    ledger.sql("UPDATE api_key SET expires_at = 1 WHERE name = 'key 0'")
    shown = xp("key", "list").out
    assert "1970-01-01 00:00 (expired)" in shown
    assert "bo (bo@example.com)" in shown
    assert made[0]["prefix"] in shown
    assert made[0]["key"] not in shown


def test_a_revoked_key_is_taken_no_more(xp: Xp, ledger: Ledger) -> None:
    ana = ledger.user("ana")
    made = xp("key", "create", ana.user.id, "--name", "n", "--json").json
    use(ledger, made["key"])
    for _ in range(2):
        assert xp("key", "revoke", made["id"]).code == 0
    with pytest.raises(Unauthenticated):
        use(ledger, made["key"])
    assert audited(ledger)[1:] == [by_terminal("revoke_api_key", made["id"])]


def test_what_is_not_there(xp: Xp, ledger: Ledger) -> None:
    assert xp("key", "revoke", "nothing").sentence == "There is no API key 'nothing'."
    assert xp("key", "create", "nobody", "--name", "n").sentence == "There is no user 'nobody'."
    assert xp("key", "list", "--user", "nobody").sentence == "There is no user 'nobody'."
    assert xp("key", "list", "--json").json == []


def test_not_for_the_deactivated(xp: Xp, ledger: Ledger) -> None:
    ledger.user("ana")
    xp("user", "deactivate", "ana@example.com")
    ran = xp("key", "create", "ana@example.com", "--name", "n", ALLOWED_DOMAINS="*")
    assert (ran.code, ran.err.splitlines()[-1]) == (1, "Error: This account is deactivated.")
