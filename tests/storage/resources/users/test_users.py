"""Users: made when they are first seen, changed by tokens and by admins, taken out for good."""

from typing import Any

import pytest

from actors.auth.identity import Identity, Origin
from actors.errors import Conflict, Forbidden, NotFound, PreconditionFailed
from actors.identifiers import new_id
from actors.resources.files.erasure import FileErasure, UserGone
from actors.resources.members import AddMember, MemberGone
from actors.resources.sessions import CreateLink, StartSession
from actors.resources.threads import DeleteThread
from actors.resources.users import CreateUser, DeleteUser, EnsureUser, UpdateUser, User, UserFilter
from storage.resources.log import reading as log
from storage.resources.messages import reading as messages
from storage.resources.threads import reading as threads
from storage.resources.users import reading as users
from tests.builders import Ledger, identity, identity_of, post


def ensure(ledger: Ledger, subject: str = "sub", **claims: Any) -> User:
    said: dict[str, Any] = {
        "email": "ana@example.com", "name": "Ana", "domain": "example.com", "role": None, "kind": "HUMAN",
    }  # fmt: skip
    found = ledger.do(EnsureUser(subject=subject, **{**said, **claims})).result
    assert isinstance(found, User)
    return found


def create(ledger: Ledger, root: Identity, **fields: Any) -> User:
    given: dict[str, Any] = {"email": "new@example.com", "name": "New", **fields}
    made = ledger.do(CreateUser(identity=root, **given)).result
    assert isinstance(made, User)
    return made


def update(ledger: Ledger, who: Identity, whom: User, **fields: Any) -> User:
    changed = ledger.do(UpdateUser(identity=who, user_id=whom.id, **fields)).result
    assert isinstance(changed, User)
    return changed


def delete(ledger: Ledger, who: Identity, whom: User, **more: Any) -> Any:
    return ledger.do(DeleteUser(identity=who, user_id=whom.id, **more))


# What tokens say


def test_first_sight_makes_the_user(ledger: Ledger) -> None:
    user = ensure(ledger, role="ADMIN", kind="SERVICE")
    assert (user.subject, user.email, user.name, user.domain) == ("sub", "ana@example.com", "Ana", "example.com")
    assert (user.role, user.kind, user.status, user.version, user.metadata) == ("ADMIN", "SERVICE", "ACTIVE", 1, "{}")
    assert ledger.ask(users.one, user.id) == user


def test_a_role_is_user_where_the_token_says_none(ledger: Ledger) -> None:
    assert ensure(ledger).role == "USER"


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ({"name": "Ana", "email": "a@b.c"}, "Ana"),
        ({"name": "", "email": "ana.b@c.d"}, "ana.b"),
        ({"name": "", "email": ""}, "sub"),
    ],
)
def test_a_nameless_token_gets_a_name(ledger: Ledger, said: dict[str, str], name: str) -> None:
    assert ensure(ledger, **said).name == name


def test_the_same_claims_again_write_nothing(ledger: Ledger) -> None:
    first = ensure(ledger)
    before = ledger.dump()
    assert ensure(ledger) == first
    assert ledger.dump() == before


def test_what_the_claims_say_anew_is_taken(ledger: Ledger) -> None:
    first = ensure(ledger)
    now = ensure(ledger, name="Ana Maria", role="ADMIN")
    assert (now.key, now.name, now.role, now.version) == (first.key, "Ana Maria", "ADMIN", 2)


def test_a_claim_that_is_no_longer_made_takes_nothing_away(ledger: Ledger) -> None:
    ensure(ledger, role="ADMIN")
    now = ensure(ledger, role=None, name="")
    assert (now.role, now.name) == ("ADMIN", "Ana")


def test_what_an_admin_has_changed_stays_changed(ledger: Ledger, root: Identity) -> None:
    user = ensure(ledger, role="USER")
    update(ledger, root, user, role="ADMIN", name="Renamed")
    again = ensure(ledger, role="USER")
    assert (again.role, again.name) == ("ADMIN", "Renamed")
    other_claim = ensure(ledger, role="USER", email="new@example.com")
    assert (other_claim.role, other_claim.name, other_claim.email) == ("ADMIN", "Renamed", "new@example.com")
    assert ensure(ledger, role="USER", email="new@example.com", name="Ana M").name == "Ana M"


def test_a_user_whom_an_admin_has_made_signs_in(ledger: Ledger, root: Identity) -> None:
    made = create(ledger, root, subject="sub-new", role="ADMIN", kind="SERVICE")
    seen = ensure(ledger, "sub-new", email="new@example.com", name="New by token")
    assert (seen.key, seen.name) == (made.key, "New by token")
    assert (seen.role, seen.kind) == ("ADMIN", "SERVICE")  # of which the token said nothing
    assert ensure(ledger, "sub-new", email="new@example.com", name="New by token") == seen


def test_a_deactivated_user_is_answered_as_such_and_not_brought_up_to_date(ledger: Ledger, root: Identity) -> None:
    user = ensure(ledger)
    update(ledger, root, user, status="DEACTIVATED")
    before = ledger.dump()
    seen = ensure(ledger, name="Other")
    assert (seen.status, seen.name) == ("DEACTIVATED", "Ana")
    assert ledger.dump() == before
    update(ledger, root, user, status="ACTIVE")
    assert ensure(ledger, name="Other").name == "Other"


# What admins and oneself do


def test_making_a_user(ledger: Ledger, root: Identity) -> None:
    user = create(ledger, root, role="ADMIN", kind="ASSISTANT", metadata='{"k":1}', avatar_url="https://x/y.png")
    assert (user.role, user.kind, user.metadata, user.domain) == ("ADMIN", "ASSISTANT", '{"k":1}', "example.com")
    assert user.subject == user.id
    assert create(ledger, root, email="x@y.z", domain="other.org").domain == "other.org"


def test_addresses_and_subjects_are_taken_once(ledger: Ledger, root: Identity) -> None:
    create(ledger, root, subject="one")
    before = ledger.dump()
    with pytest.raises(Conflict) as caught:
        create(ledger, root, subject="two")
    assert caught.value.code == "email_taken"
    with pytest.raises(Conflict) as caught:
        create(ledger, root, subject="one", email="other@example.com")
    assert caught.value.code == "id_taken"
    with pytest.raises(Conflict) as caught:
        update(ledger, root, root.user, email="new@example.com")
    assert caught.value.code == "email_taken"
    assert ledger.dump() == before


def test_changing_oneself(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    changed = update(ledger, ana, ana.user, name="Ana B", avatar_url="https://x/y.png", metadata='{"k":1}')
    assert (changed.name, changed.avatar_url, changed.metadata, changed.version) == (
        "Ana B", "https://x/y.png", '{"k":1}', 2,
    )  # fmt: skip
    assert update(ledger, ana, ana.user, avatar_url=None).avatar_url is None


@pytest.mark.parametrize(
    "field", [{"role": "ADMIN"}, {"kind": "SERVICE"}, {"status": "DEACTIVATED"}, {"email": "a@b.c"}]
)
def test_the_rest_is_for_admins(ledger: Ledger, root: Identity, field: dict[str, Any]) -> None:
    ana, bo = ledger.user("ana"), ledger.user("bo")
    before = ledger.dump()
    with pytest.raises(Forbidden, match=next(iter(field))):
        update(ledger, ana, ana.user, name="with it", **field)
    with pytest.raises(Forbidden):
        update(ledger, ana, bo.user, name="not mine")
    with pytest.raises(Forbidden):
        create(ledger, ana)
    with pytest.raises(Forbidden):
        delete(ledger, ana, bo.user)
    assert ledger.dump() == before
    (name, value) = next(iter(field.items()))
    assert getattr(update(ledger, root, ana.user, **field), name) == value


def test_changing_another_version_is_refused(ledger: Ledger, root: Identity) -> None:
    ana = ledger.user("ana")
    update(ledger, root, ana.user, name="2", if_version=1)
    with pytest.raises(PreconditionFailed):
        update(ledger, root, ana.user, name="3", if_version=1)
    with pytest.raises(PreconditionFailed):
        delete(ledger, root, ana.user, if_version=1)


def test_a_change_that_changes_nothing(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    before = ledger.dump()
    assert update(ledger, ana, ana.user, name="ana") == ana.user
    assert ledger.dump() == before


def sessions(ledger: Ledger) -> list[tuple[int, str | None]]:
    """(user, why theirs has ended)."""
    return ledger.sql("SELECT user_id, end_reason FROM session ORDER BY id")


def sign_in(ledger: Ledger, who: Identity) -> None:
    here = Origin("127.0.0.1", "a browser", "")
    ledger.do(StartSession(user_id=who.user.id, method="PASSWORD", refresh_hash=new_id().encode(), origin=here))


def audited(ledger: Ledger, action: str) -> list[tuple[Any, ...]]:
    return ledger.sql("SELECT actor_id, target_id, before, after FROM audit WHERE action = ?", action)


def test_who_is_made_by_an_administrator_may_be_invited(ledger: Ledger, root: Identity) -> None:
    made = create(ledger, root, email="New@Example.com", subject="one")
    assert (made.email, made.subject, made.domain) == ("new@example.com", "one", "example.com")
    facts = (
        '{"domain":"example.com","email":"new@example.com","kind":"HUMAN","name":"New","role":"USER","status":"ACTIVE"}'
    )
    assert audited(ledger, "create_user") == [(root.user.id, made.id, None, facts)]
    assert ledger.sql("SELECT * FROM letter") == []
    invited = create(ledger, root, email="other@example.com", invite=True)
    assert ledger.sql("SELECT user_id, inviter_id, thread_id FROM letter") == [(invited.key, root.user.key, None)]


def test_a_subject_that_any_issuer_s_tokens_have_is_taken(ledger: Ledger, root: Identity) -> None:
    ensure(ledger, "linked", issuer="https://login.example.com", email="linked@example.com")
    gone = ledger.user("gone")
    delete(ledger, root, gone.user)
    for subject in ("linked", gone.user.subject):
        with pytest.raises(Conflict) as caught:
            create(ledger, root, subject=subject)
        assert caught.value.code == "id_taken"


def test_a_change_is_of_one_user(ledger: Ledger, root: Identity) -> None:
    ana, bo = ledger.user("ana"), ledger.user("bo")
    other = "SELECT * FROM user WHERE id <> ?"
    before = ledger.sql(other, ana.user.key)
    done = ledger.do(UpdateUser(identity=root, user_id=ana.user.id, name="Ann", email="Ann@Example.com"))
    changed = done.result
    assert (changed.name, changed.email, changed.version) == ("Ann", "ann@example.com", 2)
    assert [(event.type, event.user_key, event.data) for event in done.user_events] == [
        ("user.updated", ana.user.key, changed)
    ]  # fmt: skip
    assert done.events == ()
    assert ledger.sql(other, ana.user.key) == before
    assert ledger.sql("SELECT kind, ref FROM access_change") == [("user", ana.user.id)]
    was, is_now = '{"email":"ana@example.com","name":"ana"}', '{"email":"ann@example.com","name":"Ann"}'
    assert audited(ledger, "update_user") == [(root.user.id, ana.user.id, was, is_now)]
    assert ledger.sql("SELECT kind, user_id, address, doer FROM notice") == [
        ("email_changed", ana.user.key, "ana@example.com", "administrator")
    ]  # fmt: skip
    assert ledger.refreshed(bo).user.name == "bo"


def test_ones_own_name_is_not_audited_and_ones_own_rights_are(ledger: Ledger, root: Identity) -> None:
    update(ledger, root, root.user, name="The Root", avatar_url="https://x/y.png", metadata='{"a":1}')
    update(ledger, ledger.user("ana"), ledger.user("ana").user, name="Ann")
    assert audited(ledger, "update_user") == []
    ledger.admin("second")
    update(ledger, root, root.user, name="Root", role="USER")
    was, is_now = '{"name":"The Root","role":"ADMIN"}', '{"name":"Root","role":"USER"}'
    assert audited(ledger, "update_user") == [(root.user.id, root.user.id, was, is_now)]


def test_who_is_deactivated_is_out_everywhere_and_others_are_not(ledger: Ledger, root: Identity) -> None:
    ana, bo = ledger.user("ana"), ledger.user("bo")
    thread = ledger.thread(ana, bo)
    for who in (bo, ana):
        sign_in(ledger, who)
    update(ledger, root, ana.user, name="Ann")
    assert sessions(ledger) == [(bo.user.key, None), (ana.user.key, None)]
    done = ledger.do(UpdateUser(identity=root, user_id=ana.user.id, status="DEACTIVATED"))
    assert sessions(ledger) == [(bo.user.key, None), (ana.user.key, "user deactivated")]
    assert [(event.type, event.thread_id) for event in done.events] == [("member.updated", thread.id)]
    state = ledger.state(thread)
    assert state is not None
    assert dict(state.roles)[bo.user.key] == "OWNER"


@pytest.mark.parametrize(("field", "is_good"), [
    ({"name": "Ann"}, True), ({"kind": "SERVICE"}, True), ({"email": "ann@example.com"}, False),
    ({"role": "ADMIN"}, False), ({"status": "DEACTIVATED"}, False),
])  # fmt: skip
def test_a_link_that_signs_in_is_for_the_account_as_it_was(
    ledger: Ledger, root: Identity, field: dict[str, Any], is_good: bool
) -> None:
    ana, bo = ledger.user("ana"), ledger.user("bo")
    for who in (ana, bo):
        link = CreateLink(identity=root, user_id=who.user.id, link_hash=who.user.id.encode(), expires_at=2**50)
        ledger.do(link)
    update(ledger, root, ana.user, **field)
    left = {key for (key,) in ledger.sql("SELECT user_id FROM sign_in_link")}
    assert left == ({ana.user.key, bo.user.key} if is_good else {bo.user.key})


def test_who_was_deleted_is_changed_no_more(ledger: Ledger, root: Identity) -> None:
    ana = ledger.user("ana")
    delete(ledger, root, ana.user)
    with pytest.raises(Conflict) as caught:
        update(ledger, root, ana.user, name="Back")
    assert caught.value.code == "user_deleted"


def test_an_address_that_two_have_had_is_that_of_one_again(ledger: Ledger, root: Identity) -> None:
    """Another issuer's user may have come with an address that was taken: nobody is found by theirs."""
    ana = ledger.user("ana")
    ledger.sql("UPDATE user SET shares_email = 1 WHERE id = ?", ana.user.key)
    update(ledger, root, ana.user, name="Ann")
    assert ledger.one("SELECT shares_email FROM user WHERE id = ?", ana.user.key) == 1
    update(ledger, root, ana.user, email="ann@example.com")
    assert ledger.one("SELECT shares_email FROM user WHERE id = ?", ana.user.key) == 0


def test_nobody(ledger: Ledger, root: Identity) -> None:
    nobody = User(99, "nobody", "", "", "", None, "USER", "HUMAN", "", "ACTIVE", "{}", 1, 0, 0)
    for attempt in (update, delete):
        with pytest.raises(NotFound):
            attempt(ledger, root, nobody)


# Taken out for good


def test_deleting_a_user_takes_the_person_out_of_it(ledger: Ledger, root: Identity) -> None:
    person = identity_of(ensure(ledger, "opaque-subject", email="perla@secret.org", name="Perla Secret"))
    update(ledger, person, person.user, metadata='{"phone":"secret"}', avatar_url="https://secret/me.png")
    thread = ledger.thread(root, person)
    message = ledger.post(person, thread, "what I said")
    done = delete(ledger, root, person.user)
    assert done.result == UserGone(person.user.id, FileErasure())
    told = repr(ledger.dump()).lower()
    assert "perla" not in told
    assert "secret" not in told
    gone = ledger.ask(users.one, person.user.id)
    assert (gone.name, gone.email, gone.avatar_url, gone.status) == ("Deleted user", "", None, "DEACTIVATED")
    kept = ledger.ask(messages.one, root, message.id)
    assert (kept.content, kept.author.name) == ("what I said", "Deleted user")


def test_a_token_of_a_deleted_user_does_not_bring_them_back(ledger: Ledger, root: Identity) -> None:
    person = ensure(ledger, "sub")
    delete(ledger, root, person)
    for name in ("Ana", "Ana with a new name"):
        seen = ensure(ledger, "sub", name=name)
        assert (seen.status, seen.name, seen.email) == ("DEACTIVATED", "Deleted user", "")


def test_a_deleted_user_leaves_every_thread_and_the_log_says_so(ledger: Ledger, root: Identity) -> None:
    ana, bo = ledger.user("ana"), ledger.user("bo")
    mine, theirs, gone, foreign = (
        ledger.thread(ana, bo), ledger.thread(bo, ana), ledger.thread(ana), ledger.thread(bo),
    )  # fmt: skip
    ledger.do(DeleteThread(identity=ana, thread_id=gone.id))
    done = delete(ledger, root, ana.user)
    assert [(e.type, e.thread_id, e.offset) for e in done.events] == [
        ("member.removed", mine.id, 3),
        ("member.updated", mine.id, 4),  # it was hers alone: he owns it now
        ("member.removed", theirs.id, 3),
    ]
    assert [e.position for e in done.events] == sorted(e.position for e in done.events)
    for thread in (mine, theirs):
        state = ledger.state(thread)
        assert state is not None
        assert set(state.roles) == {bo.user.key}
        event, *_ = ledger.ask(log.after_offset, bo, thread.id, 2, limit=9).events
        assert event.type == "member.removed"
        assert isinstance(event.data, MemberGone)
        assert event.data.user.id == ana.user.id
        assert event == next(each for each in done.events if each.thread_id == thread.id)
    untouched = ledger.state(foreign)
    assert untouched is not None
    assert untouched.offset == 1
    with pytest.raises(NotFound):
        ledger.post(ana, theirs)


def test_a_deleted_user_cannot_become_a_member(ledger: Ledger, root: Identity) -> None:
    ana = ledger.user("ana")
    thread = ledger.thread(root)
    delete(ledger, root, ana.user)
    with pytest.raises(Conflict, match="deactivated"):
        ledger.do(AddMember(identity=root, thread_id=thread.id, user_id=ana.user.id))


def test_an_admin_does_not_delete_themselves(ledger: Ledger, root: Identity) -> None:
    with pytest.raises(Conflict, match="ask another admin"):
        delete(ledger, root, root.user)


def test_an_address_is_free_again_once_its_user_is_deleted(ledger: Ledger, root: Identity) -> None:
    first = create(ledger, root)
    delete(ledger, root, first)
    second = create(ledger, root)
    delete(ledger, root, second)  # a second one without an address
    assert create(ledger, root).email == "new@example.com"


# Reading


@pytest.mark.parametrize("limit", [1, 2, 4, 5, 6])
def test_pages_of_users(ledger: Ledger, limit: int) -> None:
    people = [ledger.user(f"p{n}").user for n in range(5)]
    seen: list[User] = []
    after: int | None = None
    pages = 0
    while True:
        page = ledger.ask(users.page, identity(), UserFilter(), limit=limit, after=after)
        pages += 1
        seen += page.items
        if page.next_cursor is None:
            break
        after = int(page.next_cursor)
    assert seen == people
    assert pages == -(-5 // limit)


def test_a_change_of_name_shows_beside_what_was_done_before(ledger: Ledger, root: Identity) -> None:
    ana = ledger.user("ana")
    thread = ledger.thread(ana)
    message = ledger.post(ana, thread)
    update(ledger, root, ana.user, name="Ana B")
    assert ledger.ask(messages.one, ana, message.id).author.name == "Ana B"
    assert ledger.ask(threads.one, ana, thread.id).creator.name == "Ana B"
    assert ledger.do(post(ledger.refreshed(ana), thread)).result.author.name == "Ana B"


def test_the_first_token_of_a_user_made_by_an_admin_is_theirs(ledger: Ledger) -> None:
    """An admin knows the address, not the subject; both are one account from the first sign-in on."""
    admin = ledger.user("admin", role="ADMIN")
    made = ledger.do(CreateUser(identity=admin, email="new@example.com", name="New")).result
    ensure = EnsureUser(
        subject="issuer|7", email="new@example.com", name="", domain="example.com", role=None, kind="HUMAN"
    )
    signed_in = ledger.do(ensure).result
    assert isinstance(made, User)
    assert isinstance(signed_in, User)
    assert (signed_in.id, signed_in.subject, signed_in.name) == (made.id, "issuer|7", "New")
    assert ledger.do(ensure).result == signed_in
    other = EnsureUser(
        subject="issuer|8", email="new@example.com", name="", domain="example.com", role=None, kind="HUMAN"
    )
    assert ledger.do(other).result == signed_in, "the address is one user's, by whatever subject they come"
