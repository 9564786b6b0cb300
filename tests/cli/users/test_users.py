"""`xp user`."""

import pytest

from actors.resources.users import SYSTEM_SUBJECT
from tests.builders import Ledger
from tests.cli.conftest import Xp


def test_make_list_promote(xp: Xp, ledger: Ledger) -> None:
    made = xp("user", "create", "ana@x.org", "--name", "Ana", "--kind", "ASSISTANT", "--subject", "ana", "--json").json
    assert {name: made[name] for name in ("email", "name", "role", "kind", "subject", "domain", "status")} == {
        "email": "ana@x.org", "name": "Ana", "role": "USER", "kind": "ASSISTANT", "subject": "ana", "domain": "x.org",
        "status": "ACTIVE",
    }  # fmt: skip
    assert "Ana (ana@x.org) has the role ADMIN." in xp("user", "set-role", "ana@x.org", "ADMIN").out
    xp("user", "create", "boss@x.org", "--role", "ADMIN")
    assert xp("user", "set-role", made["id"], "USER", "--json").json["role"] == "USER"
    system, ana, _ = xp("user", "list", "--json").json
    assert (system["subject"], system["name"], system["role"], system["kind"]) == (
        SYSTEM_SUBJECT,
        "System",
        "ADMIN",
        "SERVICE",
    )
    assert ana["id"] == made["id"]
    shown = xp("user", "list").out
    assert made["id"] in shown
    assert "ana@x.org" in shown


def test_names_and_subjects_have_defaults(xp: Xp, ledger: Ledger) -> None:
    assert xp("user", "create", "bo@x.org").out.startswith("Created bo@x.org (USER, HUMAN), id c")
    bo = xp("user", "list", "--json").json[-1]
    assert (bo["name"], bo["subject"]) == ("bo", bo["id"])


def test_the_one_who_first_signs_in_is_the_one_that_was_made(xp: Xp, ledger: Ledger) -> None:
    xp("user", "create", "user9@example.com", "--subject", "sub-user9", "--role", "ADMIN")
    assert ledger.user("user9").is_admin


def test_an_address_is_taken_once(xp: Xp, ledger: Ledger) -> None:
    assert xp("user", "create", "ana@x.org").code == 0
    assert xp("user", "create", "ana@x.org").sentence == "A user with the e-mail address 'ana@x.org' already exists."


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nonsense"], "email: not valid."),
        (["a@x.org", "--name", " "], "name: String should have at least 1 character."),
        (["a@x.org", "--name", "n" * 300], "name: String should have at most 200 characters."),
    ],
)
def test_the_rules_are_the_servers(arguments: list[str], sentence: str, xp: Xp, ledger: Ledger) -> None:
    assert xp("user", "create", *arguments).sentence == sentence
    assert ledger.one("SELECT count(*) FROM user") == 0


def test_addresses_are_found_in_any_case(xp: Xp, ledger: Ledger) -> None:
    ledger.user("ana")
    assert xp("user", "set-role", "Ana@Example.com", "ADMIN", "--json").json["role"] == "ADMIN"


def test_nobody_and_several(xp: Xp, ledger: Ledger) -> None:
    assert xp("user", "set-role", "nobody@x.org", "USER").sentence == "There is no user 'nobody@x.org'."
    assert xp("user", "set-role", "", "USER").sentence == "There is no user."
    one, two = ledger.user("one"), ledger.user("two")
    ledger.sql("UPDATE user SET email = 'same@x.org', shares_email = 1")
    said = xp("user", "set-role", "same@x.org", "USER").sentence
    assert one.user.id in said
    assert two.user.id in said


def test_the_terminal_is_an_admin_whatever_became_of_its_user(xp: Xp, ledger: Ledger) -> None:
    xp("user", "create", "ana@x.org")
    ledger.sql("UPDATE user SET role = 'USER' WHERE subject = ?", SYSTEM_SUBJECT)
    assert xp("user", "set-role", "ana@x.org", "ADMIN").code == 0


@pytest.mark.parametrize("verb", [("set-role", "USER"), ("deactivate",), ("delete", "--yes")])
def test_the_only_administrator_stays_one(xp: Xp, ledger: Ledger, verb: tuple[str, ...]) -> None:
    ledger.admin("ana")
    refused = xp("user", verb[0], "ana@example.com", *verb[1:])
    assert refused.code == 1
    assert "only administrator" in refused.sentence
    ledger.admin("bo")
    assert xp("user", verb[0], "ana@example.com", *verb[1:]).code == 0


@pytest.mark.parametrize(
    "verb", [("set-role", "USER"), ("deactivate",), ("delete", "--yes"), ("link",), ("key", "--name", "k")]
)
def test_the_built_in_user_stays_as_it_is(xp: Xp, ledger: Ledger, verb: tuple[str, ...]) -> None:
    xp("user", "create", "ana@x.org")
    system = ledger.one("SELECT uid FROM user WHERE subject = ?", SYSTEM_SUBJECT)
    before = ledger.sql("SELECT * FROM user WHERE uid = ?", system)
    command = ("key", "create") if verb[0] == "key" else ("user", verb[0])
    refused = xp(*command, system, *verb[1:])
    assert refused.code == 1
    assert "System" in refused.err
    assert ledger.sql("SELECT * FROM user WHERE uid = ?", system) == before
    assert xp("user", "create", "eve@x.org", "--subject", SYSTEM_SUBJECT).code != 0


def test_more_users_than_a_page(xp: Xp, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actors.limits.XP_PAGE", 2)
    for _ in range(5):
        ledger.user()
    assert len(xp("user", "list", "--json").json) == 5


def test_a_database_that_somebody_holds(xp: Xp, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    from storage.database import DatabaseOptions

    monkeypatch.setattr("cli.opening.database.options_of", lambda _: DatabaseOptions(xp.database, busy_timeout_ms=10))
    with ledger.store.database.atomic("IMMEDIATE"):
        said = xp("user", "create", "ana@x.org").sentence
    assert "another process holds a lock" in said


def test_a_user_who_may_not_come_in_is_said_to_whoever_makes_one(xp: Xp, ledger: Ledger) -> None:
    ran = xp("user", "create", "ana@example.com")
    assert ran.code == 0
    assert "Users of 'example.com' may not sign in" in ran.err
    assert "ALLOWED_DOMAINS" in ran.err
    assert "may not sign in" in xp("key", "create", "ana@example.com", "--name", "k").err
    assert xp("user", "create", "bo@example.com", ALLOWED_DOMAINS="*").err == ""
