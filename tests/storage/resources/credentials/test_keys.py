"""API keys, passwords and links in the store: whose they are, what is noted of them, and others that stay."""

from dataclasses import replace
from typing import Any

import pytest

from actors import limits
from actors.auth.identity import Identity, Origin
from actors.errors import Conflict, Forbidden, NotFound
from actors.identifiers import new_id
from actors.resources.api_keys import ApiKey, CreateApiKey, RevokeApiKey
from actors.resources.sessions import CreateLink, NoteUse, RevokeToken, SetPassword, StartSession
from actors.resources.users import UpdateUser
from tests.builders import FAR_FUTURE, Ledger
from tests.storage.clock import NOW, Clock

pytestmark = pytest.mark.usefixtures("clock")

SEEN = limits.SEEN_SECONDS * 1000
HERE = Origin("127.0.0.1", "a browser", "c-1")


def create(ledger: Ledger, who: Identity, whose: Identity | None = None, **more: Any) -> ApiKey:
    given: dict[str, Any] = {"name": "k", "scopes": ("read",), "expires_at": None, "prefix": "xpk_1", **more}
    command = CreateApiKey(identity=who, user_id=(whose or who).user.id, key_hash=new_id().encode(), **given)
    made = ledger.do(command).result
    assert isinstance(made, ApiKey)
    return made


def session(ledger: Ledger, who: Identity) -> str:
    """Its id."""
    command = StartSession(user_id=who.user.id, method="PASSWORD", refresh_hash=new_id().encode(), origin=HERE)
    return str(ledger.do(command).result.session.id)


def audited(ledger: Ledger) -> list[tuple[Any, ...]]:
    columns = "action, actor_id, target_id, before, after, about_id"
    return ledger.sql(f"SELECT {columns} FROM audit WHERE action <> 'sign_in' ORDER BY id")


def notices(ledger: Ledger) -> list[tuple[Any, ...]]:
    return ledger.sql("SELECT kind, user_id, doer, detail FROM notice ORDER BY id")


# Used


def test_the_use_of_a_session_is_noted_once_a_minute(ledger: Ledger, ana: Identity, clock: Clock) -> None:
    other, used = session(ledger, ana), session(ledger, ana)
    for elapsed, seen in ((SEEN, NOW), (SEEN + 1, NOW + SEEN + 1)):
        clock.now = NOW + elapsed
        assert ledger.do(NoteUse(session_id=used)).result is None
        assert dict(ledger.sql("SELECT uid, last_seen_at FROM session")) == {other: NOW, used: seen}
    before = ledger.dump()
    ledger.do(NoteUse())
    assert ledger.dump() == before


def test_the_use_of_a_key_is_noted_from_the_first_on(ledger: Ledger, ana: Identity, clock: Clock) -> None:
    other, used = create(ledger, ana), create(ledger, ana)
    for elapsed, seen in ((0, NOW), (SEEN, NOW), (SEEN + 1, NOW + SEEN + 1)):
        clock.now = NOW + elapsed
        ledger.do(NoteUse(api_key_id=used.id))
        assert dict(ledger.sql("SELECT uid, last_used_at FROM api_key")) == {other.id: None, used.id: seen}


# API keys


def test_a_key_is_in_the_audit_log_and_its_user_is_told(
    ledger: Ledger, ana: Identity, root: Identity, clock: Clock
) -> None:
    made = create(ledger, root, ana, scopes=("read", "write"), expires_at=NOW + 5)
    assert (made.user_id, made.scopes, made.created_at, made.expires_at, made.revoked_at) == (
        ana.user.id, ("read", "write"), NOW, NOW + 5, None
    )  # fmt: skip
    facts = f'{{"expires_at":{NOW + 5},"name":"k","scopes":["read","write"],"user_id":"{ana.user.id}"}}'
    assert audited(ledger) == [("create_api_key", root.user.id, made.id, None, facts, ana.user.id)]
    create(ledger, ana)
    assert notices(ledger) == [
        ("api_key_created", ana.user.key, "administrator", "k"), ("api_key_created", ana.user.key, "user", "k")
    ]  # fmt: skip


def test_who_may_make_one(ledger: Ledger, ana: Identity, bo: Identity, root: Identity) -> None:
    with pytest.raises(Forbidden):
        create(ledger, ana, bo)
    for who, whose in ((ana, ana), (root, ana)):
        with pytest.raises(Forbidden, match="requires the role ADMIN"):
            create(ledger, who, whose, scopes=("read", "admin"))
    assert create(ledger, root, scopes=("admin",)).scopes == ("admin",)
    ledger.do(UpdateUser(identity=root, user_id=bo.user.id, status="DEACTIVATED"))
    with pytest.raises(Conflict, match="deactivated"):
        create(ledger, root, bo)


def test_a_user_has_a_bounded_number(
    ledger: Ledger, ana: Identity, bo: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "API_KEYS_PER_USER", 2)
    for _ in range(2):
        create(ledger, bo)
    first, _ = create(ledger, ana), create(ledger, ana)
    with pytest.raises(Conflict, match="at most 2"):
        create(ledger, ana)
    ledger.do(RevokeApiKey(identity=ana, key_id=first.id))
    create(ledger, ana)


def test_one_is_revoked_by_its_user_or_an_administrator(
    ledger: Ledger, ana: Identity, bo: Identity, root: Identity, clock: Clock
) -> None:
    other, made, by_root = create(ledger, ana), create(ledger, ana), create(ledger, ana)
    for who, key_id in ((bo, made.id), (ana, new_id())):
        with pytest.raises(NotFound, match="API key"):
            ledger.do(RevokeApiKey(identity=who, key_id=key_id))
    revoked = ledger.do(RevokeApiKey(identity=ana, key_id=made.id)).result
    assert revoked == replace(made, revoked_at=NOW)
    clock.now += 1
    assert ledger.do(RevokeApiKey(identity=root, key_id=made.id)).result == revoked
    ledger.do(RevokeApiKey(identity=root, key_id=by_root.id))
    assert dict(ledger.sql("SELECT uid, revoked_at FROM api_key")) == {
        other.id: None, made.id: NOW, by_root.id: NOW + 1
    }  # fmt: skip
    facts = f'{{"name":"k","user_id":"{ana.user.id}"}}'
    assert audited(ledger)[3:] == [
        ("revoke_api_key", ana.user.id, made.id, facts, None, ana.user.id),
        ("revoke_api_key", root.user.id, by_root.id, facts, None, ana.user.id),
    ]
    changes = ledger.sql("SELECT ref FROM access_change WHERE kind = 'api_key'")
    assert changes == [(made.id,), (by_root.id,)]


# Tokens of other issuers, passwords, links


def test_a_token_is_revoked_by_its_user_or_an_administrator(
    ledger: Ledger, ana: Identity, bo: Identity, root: Identity
) -> None:
    def revoke(who: Identity, token_id: str, user_id: str = "") -> Any:
        return ledger.do(RevokeToken(identity=who, token_id=token_id, expires_at=FAR_FUTURE, user_id=user_id)).result

    for user_id in ("", ana.user.id):
        with pytest.raises(Forbidden):
            revoke(bo, "t-1", user_id)
    assert revoke(ana, "t-1", ana.user.id) is None
    revoke(replace(bo, token_id="t-2"), "t-2")
    revoke(root, "t-3")
    assert ledger.sql("SELECT token_id, expires_at, revoked_at FROM revoked_token ORDER BY 1") == [
        (token_id, FAR_FUTURE, NOW) for token_id in ("t-1", "t-2", "t-3")
    ]
    assert [row[:3] for row in audited(ledger)] == [
        ("revoke_token", ana.user.id, "t-1"), ("revoke_token", bo.user.id, "t-2"),
        ("revoke_token", root.user.id, "t-3"),
    ]  # fmt: skip
    assert ledger.sql("SELECT ref FROM access_change WHERE kind = 'token'") == [("t-1",), ("t-2",), ("t-3",)]


def test_a_new_password_ends_the_other_sessions_of_its_user(ledger: Ledger, ana: Identity, bo: Identity) -> None:
    own, other, theirs = session(ledger, ana), session(ledger, ana), session(ledger, bo)
    here = replace(ana, session_id=own)
    assert ledger.do(SetPassword(identity=here, password="one", expected=None)).result == 1
    with pytest.raises(Conflict, match="in the meantime"):
        ledger.do(SetPassword(identity=here, password="two", expected=None))
    assert ledger.do(SetPassword(identity=here, password="two", expected="one")).result == 0
    assert ledger.sql("SELECT user_id, hash FROM password") == [(ana.user.key, "two")]
    assert dict(ledger.sql("SELECT uid, ended_at FROM session")) == {own: None, other: NOW, theirs: None}
    assert [row[:5] for row in audited(ledger)] == [
        ("set_password", ana.user.id, ana.user.id, None, f'{{"sessions_ended":{count}}}') for count in (1, 0)
    ]
    assert notices(ledger) == [("password_changed", ana.user.key, "user", "")] * 2


def test_only_an_administrator_makes_a_link(ledger: Ledger, ana: Identity, root: Identity) -> None:
    with pytest.raises(Forbidden):
        ledger.do(CreateLink(identity=ana, user_id=ana.user.id, link_hash=b"l", expires_at=NOW + 5))
    found = ledger.do(CreateLink(identity=root, user_id=ana.user.id, link_hash=b"l", expires_at=NOW + 5)).result
    assert found.id == ana.user.id
    assert ledger.sql("SELECT user_id, hash, created_at, expires_at, used_at FROM sign_in_link") == [
        (ana.user.key, b"l", NOW, NOW + 5, None)
    ]  # fmt: skip
    assert [row[:3] for row in audited(ledger)] == [("create_sign_in_link", root.user.id, ana.user.id)]
