"""An e-mail address is one user's, by whatever way and under whatever subject they come."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from actors.auth.identity import Identity, Origin
from actors.errors import Conflict, Unauthenticated
from actors.identifiers import new_id
from actors.resources.sessions import SignInByProvider
from actors.resources.users import CreateUser, DeleteUser, EnsureUser, UpdateUser, User
from storage.database import open_writer
from storage.resources.credentials import reading as credentials
from storage.schema import migrating as schema
from tests.builders import Ledger, options

ANA = "ana@example.com"


def saying(subject: str, email: str = ANA, issuer: str = "https://a", **more: Any) -> EnsureUser:
    claims: dict[str, Any] = {"name": "Ana", "domain": "example.com", "role": None, "kind": "HUMAN", **more}
    return EnsureUser(subject=subject, email=email, issuer=issuer, **claims)


def come(ledger: Ledger, subject: str, email: str = ANA, issuer: str = "https://a", **more: Any) -> User:
    found = ledger.do(saying(subject, email, issuer, **more)).result
    assert isinstance(found, User)
    return found


def create(ledger: Ledger, root: Identity, email: str = ANA, **more: Any) -> User:
    made = ledger.do(CreateUser(identity=root, email=email, name="Made", **more)).result
    assert isinstance(made, User)
    return made


def by_provider(ledger: Ledger, subject: str, email: str = ANA, issuer: str = "https://idp") -> User:
    command = SignInByProvider(
        issuer=issuer, subject=subject, email=email, name="Ana", avatar_url=None, domain="example.com",
        refresh_hash=f"{issuer}{subject}{new_id()}".encode(), origin=Origin("", "", ""),
    )  # fmt: skip
    user = ledger.do(command).result.user
    assert isinstance(user, User)
    return user


def audited(ledger: Ledger) -> list[tuple[str, str, str]]:
    query = "SELECT target_id, outcome, after FROM audit WHERE action = 'link_account' ORDER BY id"
    return [tuple(row) for row in ledger.sql(query)]


def test_two_subjects_with_one_address_are_one_user(ledger: Ledger) -> None:
    first = come(ledger, "one")
    again = come(ledger, "two", "ANA@Example.com", "https://b", name="Ana Lima", role="ADMIN")
    assert again == first, "nothing of the user changes because they are linked"
    assert audited(ledger) == [(first.id, "done", '{"issuer":"https://b","subject":"two"}')]
    assert come(ledger, "two", issuer="https://b", name="Ana Lima", role="ADMIN") == first
    assert len(audited(ledger)) == 1


def test_what_a_linked_issuer_says_anew_is_taken(ledger: Ledger) -> None:
    first = come(ledger, "one")
    come(ledger, "two", issuer="https://b", name="Ana")
    assert come(ledger, "two", issuer="https://b", name="Ana Souza").name == "Ana Souza"
    assert come(ledger, "one").name == "Ana Souza", "the first one has said nothing new"
    assert come(ledger, "one").id == first.id


def test_a_link_is_of_one_issuer(ledger: Ledger) -> None:
    """The same subject may be another person's at another issuer."""
    ana = come(ledger, "one")
    come(ledger, "7", issuer="https://b")
    bob = come(ledger, "7", "bob@example.com", "https://c")
    assert bob.id != ana.id
    assert come(ledger, "7", issuer="https://b").id == ana.id
    assert come(ledger, "7", "bob@example.com", "https://c").id == bob.id


def test_a_provider_knows_a_person_by_its_own_id_and_not_by_another_providers(ledger: Ledger) -> None:
    ana = by_provider(ledger, "7", issuer="https://one")
    assert by_provider(ledger, "7", "ana@elsewhere.com", "https://one").id == ana.id, "whatever the address is by now"
    bob = by_provider(ledger, "7", "bob@example.com", "https://two")
    assert bob.id != ana.id
    assert by_provider(ledger, "7", "bob@example.com", "https://two").id == bob.id
    assert by_provider(ledger, "8", "eve@example.com", "https://one").id not in (ana.id, bob.id)


def test_what_one_issuer_says_is_seen_for_that_issuer_alone(ledger: Ledger) -> None:
    """Both call her by one subject: what the first has said is no news, whatever the other one said since."""
    come(ledger, "one")
    for issuer in ("https://b", "https://c"):
        come(ledger, "7", issuer=issuer, name="Ana")
    assert come(ledger, "7", issuer="https://b", name="Ana Souza").name == "Ana Souza"
    claims = dict(ledger.sql("SELECT issuer, claims FROM external_account ORDER BY issuer"))
    assert "Ana Souza" in claims["https://b"]
    assert "Ana Souza" not in claims["https://c"]


def test_an_address_that_is_not_verified_links_nobody(ledger: Ledger, root: Identity) -> None:
    made = create(ledger, root)
    assert come(ledger, "eve", "").id != made.id
    assert by_provider(ledger, "eve", "").id != made.id
    assert audited(ledger) == [entry for entry in audited(ledger) if entry[0] != made.id]


@pytest.mark.parametrize("subject", [None, "their-subject"])
def test_a_user_whom_an_admin_made_is_who_comes_with_the_address(
    ledger: Ledger, root: Identity, subject: str | None
) -> None:
    made = create(ledger, root, "JOSÉ@example.com", subject=subject)
    assert come(ledger, "jose", "jose\u0301@example.com").id == made.id
    assert by_provider(ledger, "jose", "José@EXAMPLE.com").id == made.id
    assert [entry[0] for entry in audited(ledger)] == [made.id, made.id]


def test_provider_and_token_meet_by_the_address_whoever_is_first(ledger: Ledger) -> None:
    assert come(ledger, "one").id == by_provider(ledger, "g1").id
    assert by_provider(ledger, "g2", "bo@example.com").id == come(ledger, "two", "bo@example.com").id


def test_what_looks_like_an_address_is_another(ledger: Ledger) -> None:
    assert come(ledger, "kim", "kim@example.com").id != come(ledger, "eve", "\u212aim@example.com").id


def test_two_first_sights_in_one_batch(ledger: Ledger) -> None:
    outcomes = ledger.apply(*(saying(str(n), issuer=f"https://{n}") for n in range(5)))
    assert len({outcome.result.id for outcome in outcomes}) == 1  # type: ignore[union-attr]
    assert ledger.one(f"SELECT COUNT(*) FROM user WHERE email = '{ANA}'") == 1


def test_who_is_deactivated_does_not_come_back_by_another_subject(ledger: Ledger, root: Identity) -> None:
    ana = come(ledger, "one")
    ledger.do(UpdateUser(identity=root, user_id=ana.id, status="DEACTIVATED"))
    assert come(ledger, "two").status == "DEACTIVATED"
    with pytest.raises(Unauthenticated):
        by_provider(ledger, "g1")
    assert audited(ledger) == []


def test_who_was_deleted_does_not_come_back_by_any_of_their_subjects(ledger: Ledger, root: Identity) -> None:
    ana = come(ledger, "one")
    come(ledger, "two", issuer="https://b")
    ledger.do(DeleteUser(identity=root, user_id=ana.id, content="keep"))
    for subject, issuer in (("one", "https://a"), ("two", "https://b")):
        assert come(ledger, subject, issuer=issuer).status == "DEACTIVATED"
        assert credentials.find(ledger.store.database, [saying(subject, issuer=issuer)])[0].id == ana.id  # type: ignore[union-attr]
    assert "two" not in {row[0] for row in ledger.sql("SELECT subject FROM external_account")}
    assert come(ledger, "three").id != ana.id, "the address is free again"
    with pytest.raises(Conflict):
        create(ledger, root, "new@example.com", subject="two")


def test_an_address_that_changes_to_another_users_stays(ledger: Ledger) -> None:
    """Two users with histories of their own do not become one by a claim."""
    ana, bo = come(ledger, "one"), come(ledger, "two", "bo@example.com")
    changed = come(ledger, "two", ANA, name="Bo Li")
    assert (changed.id, changed.email, changed.name) == (bo.id, "bo@example.com", "Bo Li")
    assert come(ledger, "two", ANA, name="Bo Li") == changed
    assert [(entry[0], entry[1]) for entry in audited(ledger)] == [(ana.id, "refused")]
    assert come(ledger, "two", "bob@example.com").email == "bob@example.com"


def test_a_known_token_is_a_read(ledger: Ledger) -> None:
    come(ledger, "one")
    linked = come(ledger, "two", issuer="https://b")
    said = [saying("one"), saying("two", issuer="https://b"), saying("three"), saying("one", name="Anna")]
    found = credentials.find(ledger.store.database, said)
    assert [user and user.id for user in found] == [linked.id, linked.id, None, None]  # type: ignore[union-attr]


def test_the_database_itself_holds_it(ledger: Ledger, root: Identity) -> None:
    ana = come(ledger, "one")
    create(ledger, root, "bo@example.com")
    with pytest.raises(sqlite3.IntegrityError, match="user"):
        ledger.store.database.connection().execute(
            f"UPDATE user SET email = '{ana.email}' WHERE email = 'bo@example.com'"
        )


# Those who had the same before


def test_doubles_of_before_lose_nothing(tmp_path: Path) -> None:
    database = open_writer(options(tmp_path / "experience.db"))
    names = [migration.name for migration in schema.status(database)]
    (ours,) = [name for name in names if name.endswith("_addresses")]
    schema.runner(database).up(target=names[names.index(ours) - 1])
    people = [
        (1, "gone", ANA, "DEACTIVATED"), (2, "first", ANA, "ACTIVE"), (3, "second", ANA, "ACTIVE"),
        (4, "nobody", "", "ACTIVE"), (5, "no one", "", "ACTIVE"), (6, "jose", "jose\u0301@example.com", "ACTIVE"),
        (7, "josé", "josé@example.com", "ACTIVE"),
    ]  # fmt: skip
    run = database.connection()
    columns = (
        "id, uid, subject, email, name, role, kind, domain, claims, status, metadata, version, created_at, updated_at"
    )
    run.executemany(
        f"INSERT INTO user ({columns}) VALUES (?, 'u' || ?1, ?, ?, 'N', 'USER', 'HUMAN', '', '', ?, '{{}}', 1, 0, 0)",
        people,
    )
    schema.migrate(database, tmp_path / "experience.db")
    look = "SELECT id, subject, email, shares_email FROM user WHERE id < 8 ORDER BY id"
    assert run.execute(look).fetchall() == [
        (1, "gone", ANA, 1), (2, "first", ANA, 0), (3, "second", ANA, 1), (4, "nobody", "", 0), (5, "no one", "", 0),
        (6, "jose", "josé@example.com", 0), (7, "josé", "josé@example.com", 1),
    ]  # fmt: skip
    database.close()
    ledger = Ledger(tmp_path / "experience.db")
    assert come(ledger, "second").key == 3, "they come in as before"
    assert come(ledger, "third").key == 2, "who is new is the one who means the address"
    root = ledger.admin("root")
    changed = ledger.do(UpdateUser(identity=root, user_id="u3", email="other@example.com")).result
    assert changed.email == "other@example.com"
    assert come(ledger, "fourth", "other@example.com").key == 3
    ledger.close()
