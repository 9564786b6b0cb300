"""Sessions in the store: how they begin, go on and end; those of others, and other devices, stay as they are."""

from dataclasses import replace
from typing import Any

import pytest

from actors import limits
from actors.auth.identity import Identity, Origin
from actors.errors import Forbidden, NotFound, Unauthenticated
from actors.resources.sessions import (
    CreateLink,
    EndSession,
    EndSessions,
    FollowLink,
    RefreshSession,
    Reused,
    Session,
    SetPassword,
    SignedIn,
    SignInByProvider,
    StartSession,
)
from actors.resources.users import UpdateUser
from tests.builders import Ledger
from tests.storage.clock import NOW, Clock

pytestmark = pytest.mark.usefixtures("clock")

LASTS = limits.SESSION_SECONDS * 1000
HERE = Origin("127.0.0.1", "a browser", "c-1")


def start(ledger: Ledger, who: Identity, refresh_hash: bytes = b"first", **more: Any) -> Session:
    command = StartSession(user_id=who.user.id, method="PASSWORD", refresh_hash=refresh_hash, origin=HERE, **more)
    made = ledger.do(command).result
    assert isinstance(made, SignedIn)
    return made.session


def refresh(ledger: Ledger, token: bytes, following: bytes) -> Any:
    return ledger.do(RefreshSession(token_hash=token, next_hash=following, origin=HERE)).result


def follow(ledger: Ledger, link: bytes, refresh_hash: bytes, password: str | None = None) -> Any:
    command = FollowLink(link_hash=link, password=password, refresh_hash=refresh_hash, origin=HERE)
    return ledger.do(command).result


def by_provider(ledger: Ledger, refresh_hash: bytes, **more: Any) -> SignedIn:
    given: dict[str, Any] = {
        "issuer": "https://login.example.com", "subject": "s-1", "email": "", "name": "Dee", "avatar_url": None,
        "domain": "example.com", **more,
    }  # fmt: skip
    made = ledger.do(SignInByProvider(refresh_hash=refresh_hash, origin=HERE, **given)).result
    assert isinstance(made, SignedIn)
    return made


def ended(ledger: Ledger) -> dict[str, tuple[int | None, str | None]]:
    """Session → when and why it has ended."""
    return {uid: (at, why) for uid, at, why in ledger.sql("SELECT uid, ended_at, end_reason FROM session")}


def audited(ledger: Ledger, *but: str) -> list[tuple[Any, ...]]:
    found = ledger.sql("SELECT action, actor_id, target_id, after FROM audit ORDER BY id")
    return [row for row in found if row[0] not in ("sign_in", *but)]


def notices(ledger: Ledger) -> list[tuple[str, int]]:
    return ledger.sql("SELECT kind, user_id FROM notice ORDER BY id")


# Begun


def test_a_session_lasts_a_month(ledger: Ledger, ana: Identity) -> None:
    made = start(ledger, ana)
    assert (made.user_id, made.method, made.address, made.user_agent) == (
        ana.user.id, "PASSWORD", "127.0.0.1", "a browser"
    )  # fmt: skip
    assert (made.created_at, made.last_seen_at, made.expires_at, made.ended_at) == (NOW, NOW, NOW + LASTS, None)
    assert ledger.sql("SELECT hash, created_at, used_at FROM refresh_token") == [(b"first", NOW, None)]
    noted = ledger.sql("SELECT action, actor_id, target_id, credential, after, address FROM audit")
    after = '{"method":"PASSWORD"}'
    assert noted == [("sign_in", ana.user.id, made.id, f"session:{made.id}", after, "127.0.0.1")]


def test_a_password_that_was_changed_while_it_was_checked(ledger: Ledger, ana: Identity) -> None:
    ledger.do(SetPassword(identity=ana, password="hash", expected=None))
    with pytest.raises(Unauthenticated, match="password is wrong"):
        start(ledger, ana, password="former hash")
    assert start(ledger, ana, password="hash").ended_at is None


def test_who_is_deactivated_does_not_sign_in(ledger: Ledger, root: Identity, ana: Identity) -> None:
    ledger.do(CreateLink(identity=root, user_id=ana.user.id, link_hash=b"link", expires_at=NOW + 9))
    by_provider(ledger, b"1", email=ana.user.email)
    start(ledger, ana, b"2")
    ledger.do(UpdateUser(identity=root, user_id=ana.user.id, status="DEACTIVATED"))
    before = ledger.dump()
    for act in (lambda: start(ledger, ana, b"3"), lambda: by_provider(ledger, b"4"),
                lambda: by_provider(ledger, b"5", subject="s-2", email=ana.user.email),
                lambda: follow(ledger, b"link", b"6"), lambda: refresh(ledger, b"2", b"7")):  # fmt: skip
        with pytest.raises(Unauthenticated):
            act()
    assert ledger.dump() == before


def test_a_link_is_good_once_until_it_expires(
    ledger: Ledger, root: Identity, ana: Identity, bo: Identity, clock: Clock
) -> None:
    for who, link, expires_at in ((bo, b"of bo", 10), (ana, b"late", 5), (ana, b"good", 6)):
        command = CreateLink(identity=root, user_id=who.user.id, link_hash=link, expires_at=NOW + expires_at)
        ledger.do(command)
    clock.now += 5
    for wrong in (b"late", b"none"):
        with pytest.raises(Unauthenticated, match="sign-in link"):
            follow(ledger, wrong, b"r")
    signed_in = follow(ledger, b"good", b"r")
    assert (signed_in.user.id, signed_in.session.method) == (ana.user.id, "LINK")
    with pytest.raises(Unauthenticated):
        follow(ledger, b"good", b"r2")
    used = dict(ledger.sql("SELECT hash, used_at FROM sign_in_link"))
    assert used == {b"of bo": None, b"late": None, b"good": NOW + 5}
    assert notices(ledger) == []


def test_a_link_that_sets_a_password_ends_the_other_sessions(
    ledger: Ledger, root: Identity, ana: Identity, bo: Identity
) -> None:
    ledger.do(SetPassword(identity=bo, password="of bo", expected=None))
    ledger.do(SetPassword(identity=ana, password="former", expected=None))
    ledger.sql("DELETE FROM notice")
    theirs, mine = start(ledger, bo, b"1"), start(ledger, ana, b"2")
    ledger.do(CreateLink(identity=root, user_id=ana.user.id, link_hash=b"link", expires_at=NOW + 9))
    signed_in = follow(ledger, b"link", b"3", password="new")
    assert ended(ledger) == {
        theirs.id: (None, None), mine.id: (NOW, "password changed"), signed_in.session.id: (None, None)
    }  # fmt: skip
    assert dict(ledger.sql("SELECT user_id, hash FROM password")) == {bo.user.key: "of bo", ana.user.key: "new"}
    assert ledger.sql("SELECT changed_at FROM password WHERE hash = 'new'") == [(NOW,)]
    assert notices(ledger) == [("password_changed", ana.user.key)]


# By a provider


def test_a_provider_s_user_is_known_by_its_id(ledger: Ledger, ana: Identity) -> None:
    first = by_provider(ledger, b"1", email="dee@example.com")
    assert (first.user.name, first.user.email, first.session.method) == ("Dee", "dee@example.com", "PROVIDER")
    again = by_provider(ledger, b"2", email=ana.user.email)
    assert again.user.id == first.user.id, "whatever address it has now"
    facts = '{"issuer":"https://login.example.com","subject":"s-1"}'
    assert audited(ledger) == [("link_account", first.user.id, first.user.id, facts)]
    assert notices(ledger) == []
    others = [
        by_provider(ledger, b"3", subject="s-2").user.id,
        by_provider(ledger, b"4", issuer="https://other").user.id,
    ]
    assert len({first.user.id, *others}) == 3


def test_a_verified_address_links_an_account_and_its_user_is_told(ledger: Ledger, ana: Identity, bo: Identity) -> None:
    by_provider(ledger, b"0", subject="s-0")
    for refresh_hash in (b"1", b"2"):
        assert by_provider(ledger, refresh_hash, email=ana.user.email).user.id == ana.user.id
    assert notices(ledger) == [("account_linked", ana.user.key)]
    assert [row[:2] for row in audited(ledger)][1:] == [("link_account", ana.user.id)]


# Refreshed


def test_a_refresh_lets_it_go_on_for_another_month(ledger: Ledger, ana: Identity, clock: Clock) -> None:
    other, made = start(ledger, ana, b"other"), start(ledger, ana)
    clock.now += LASTS - 1
    found = refresh(ledger, b"first", b"second")
    assert found.session == replace(made, last_seen_at=clock.now, expires_at=clock.now + LASTS)
    assert ledger.sql("SELECT last_seen_at, expires_at FROM session WHERE uid = ?", made.id) == [
        (clock.now, clock.now + LASTS)
    ]  # fmt: skip
    assert ledger.sql("SELECT expires_at FROM session WHERE uid = ?", other.id) == [(NOW + LASTS,)]
    used = dict(ledger.sql("SELECT hash, used_at FROM refresh_token"))
    assert used == {b"other": None, b"first": clock.now, b"second": None}
    clock.now += 1
    with pytest.raises(Unauthenticated, match="has ended"):
        refresh(ledger, b"other", b"x")
    with pytest.raises(Unauthenticated, match="none of ours"):
        refresh(ledger, b"unknown", b"x")
    ledger.do(EndSession(identity=ana, session_id=made.id))
    with pytest.raises(Unauthenticated, match="has ended"):
        refresh(ledger, b"second", b"third")


@pytest.mark.parametrize(("after", "following", "is_good"), [
    (limits.REFRESH_GRACE_SECONDS * 1000, b"second", True), (limits.REFRESH_GRACE_SECONDS * 1000 + 1, b"second", False),
    (0, b"another", False),
])  # fmt: skip
def test_a_token_that_comes_again_is_good_for_a_moment(
    ledger: Ledger, ana: Identity, clock: Clock, after: int, following: bytes, is_good: bool
) -> None:
    other, made = start(ledger, ana, b"other"), start(ledger, ana)
    refresh(ledger, b"other", b"another")
    first = refresh(ledger, b"first", b"second")
    clock.now += after
    again = refresh(ledger, b"first", following)
    if is_good:
        assert again == first
        assert audited(ledger) == []
    else:
        assert again == Reused(made.id)
        assert ended(ledger) == {other.id: (None, None), made.id: (clock.now, "refresh token reused")}
        noted = ledger.sql(
            "SELECT target_id, actor_id, outcome, reason FROM audit WHERE action = 'reuse_refresh_token'"
        )
        assert noted == [(made.id, ana.user.id, "refused", "refresh_reused")]


def test_a_token_has_no_grace_once_its_successor_was_used(ledger: Ledger, ana: Identity) -> None:
    start(ledger, ana)
    refresh(ledger, b"first", b"second")
    refresh(ledger, b"second", b"third")
    assert isinstance(refresh(ledger, b"first", b"second"), Reused)


# Ended


def test_one_is_ended_by_its_user_or_an_administrator(
    ledger: Ledger, ana: Identity, bo: Identity, root: Identity, clock: Clock
) -> None:
    other, made, by_root = start(ledger, ana, b"1"), start(ledger, ana, b"2"), start(ledger, ana, b"3")
    with pytest.raises(NotFound, match="session"):
        ledger.do(EndSession(identity=bo, session_id=made.id))
    found = ledger.do(EndSession(identity=ana, session_id=made.id, reason="signed out")).result
    assert found == replace(made, ended_at=NOW, end_reason="signed out")
    clock.now += 1
    assert ledger.do(EndSession(identity=root, session_id=made.id, reason="again")).result == found
    ledger.do(EndSession(identity=root, session_id=by_root.id))
    assert ended(ledger) == {
        other.id: (None, None), made.id: (NOW, "signed out"), by_root.id: (NOW + 1, "ended")
    }  # fmt: skip
    assert audited(ledger) == [
        ("end_session", ana.user.id, made.id, '{"reason":"signed out"}'),
        ("end_session", root.user.id, by_root.id, '{"reason":"ended"}'),
    ]
    assert ledger.sql("SELECT kind, ref FROM access_change WHERE kind = 'session'") == [
        ("session", made.id), ("session", by_root.id)
    ]  # fmt: skip


def test_all_but_ones_own_are_ended(ledger: Ledger, ana: Identity, bo: Identity, root: Identity) -> None:
    own, other, theirs = start(ledger, ana, b"1"), start(ledger, ana, b"2"), start(ledger, bo, b"3")
    with pytest.raises(Forbidden):
        ledger.do(EndSessions(identity=bo, user_id=ana.user.id))
    by_own = replace(ana, session_id=own.id)
    assert ledger.do(EndSessions(identity=by_own, user_id=ana.user.id, reason="lost")).result == 1
    assert ended(ledger) == {own.id: (None, None), other.id: (NOW, "lost"), theirs.id: (None, None)}
    assert ledger.do(EndSessions(identity=by_own, user_id=ana.user.id)).result == 0
    assert ledger.do(EndSessions(identity=root, user_id=ana.user.id)).result == 1
    assert audited(ledger) == [
        ("end_sessions", ana.user.id, ana.user.id, '{"ended":1,"reason":"lost"}'),
        ("end_sessions", root.user.id, ana.user.id, '{"ended":1,"reason":"ended"}'),
    ]
