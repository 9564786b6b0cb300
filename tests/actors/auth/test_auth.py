"""The auth actor over a real store: tokens become identities, which live no longer than what they rest on."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import pytest

from actors import limits
from actors.auth.access_changes import AccessChange, AccessChanges
from actors.auth.actor import AccessChanged, AuthActor, Authenticate, VerifiedTokens
from actors.auth.credential_lookups import Credential, FindCredentials, Found
from actors.auth.identity import Identity, Origin
from actors.auth.revoked_tokens import RevokedTokens
from actors.errors import (
    Forbidden,
    Internal,
    Overloaded,
    ShuttingDown,
    StorageUnavailable,
    TokenExpired,
    Unauthenticated,
)
from actors.rehearsal import MayEnter
from actors.resources.api_keys import API_KEY_PREFIX, UsedKey
from actors.resources.sessions import NoteUse, SignedIn, StartSession
from actors.resources.users import DeleteUser, GetUser, ListUsers, UpdateUser, User, UserFilter, UserKind, UserRole
from actors.runtime.loop_actor import LoopFuture, Stage
from tests.actors.house import House
from tests.builders import FAR_FUTURE, identity, identity_of, settle, until, user

SOON = 60
HERE = identity(1)


@dataclass
class Claims:
    sub: str
    email: str = "ana@example.com"
    name: str = "Ana"
    domain: str = "example.com"
    role: UserRole | None = None
    kind: UserKind = "HUMAN"
    expires_at: int = FAR_FUTURE
    token_id: str = "jti"
    session_id: str = ""
    issuer: str = ""


class Issuer:
    """Both ports of the auth actor: knows some tokens, and others after its keys were fetched."""

    def __init__(self) -> None:
        self.tokens: dict[str, Claims] = {}
        self.new_tokens: dict[str, Claims] = {}
        self.verified: list[str] = []
        self.refreshed = 0
        self.failure: Exception | None = None
        self.refresh_failure: Exception | None = None
        self.gate: asyncio.Event | None = None

    def verify(self, token: str, now: float) -> Claims:
        self.verified.append(token)
        if self.failure is not None:
            raise self.failure
        claims = self.tokens.get(token)
        if claims is None:
            raise Unauthenticated("The token is signed by a key that is not known.", code="unknown_key")
        if claims.expires_at <= now:
            raise TokenExpired("The token has expired.")
        return claims

    async def refresh(self, key_id: str) -> bool:
        self.refreshed += 1
        if self.gate is not None:
            await self.gate.wait()
        if self.refresh_failure is not None:
            raise self.refresh_failure
        self.tokens |= self.new_tokens
        return True


class Door:
    def __init__(self, stage: Stage, house: House, *, refresh: bool = True) -> None:
        self.house = house
        self.reads = 0
        self.issuer = Issuer()
        self.tokens = VerifiedTokens()
        self.actor = AuthActor(
            verifier=self.issuer,
            refresher=self.issuer if refresh else None,
            journal=house.journal,
            read=self._read,
            tokens=self.tokens,
            must_be_allowed=self._must_be_allowed,
        )
        self.closed_domains: set[str] = set()
        self.ref = stage.start(self.actor)

    async def _read(self, asked: Sequence[Credential]) -> Sequence[Found]:
        self.reads += 1
        return await self.house.reads.ask(FindCredentials(asked))

    def _must_be_allowed(self, user: User) -> None:
        if user.domain in self.closed_domains:
            raise Forbidden("This domain may not come in.", code="domain_not_allowed")

    def ask(self, token: str) -> LoopFuture[Any]:
        asked: LoopFuture[Any] = self.ref.ask(Authenticate(token))
        return asked

    def tell_of_user(self, who: Identity) -> None:
        """As the access watch does after a change of theirs."""
        self.ref.tell(AccessChanged(AccessChanges([AccessChange(1, "user", who.user.id, None)])))

    async def identify(self, token: str) -> Identity:
        found: Identity = await asyncio.wait_for(answer(self.ask(token)), 10)
        return found


async def answer(asked: LoopFuture[Any]) -> Any:
    return await asked


@pytest.fixture
async def door(stage: Stage, house: House) -> Door:
    made = Door(stage, house)
    made.issuer.tokens["good"] = Claims("ana")
    return made


async def test_a_good_token_makes_the_user_it_speaks_of(door: Door) -> None:
    door.issuer.tokens["good"] = Claims("ana", role="ADMIN", kind="SERVICE", token_id="t-1", expires_at=FAR_FUTURE)
    who = await door.identify("good")
    assert (who.user.subject, who.user.email, who.user.name) == ("ana", "ana@example.com", "Ana")
    assert (who.user.role, who.user.kind, who.is_admin) == ("ADMIN", "SERVICE", True)
    assert (who.author, who.expires_at, who.token_id) == (who.user.author, FAR_FUTURE, "t-1")
    assert await door.house.reads.ask(GetUser(who.user.id)) == who.user


async def test_a_token_is_verified_once_while_it_is_remembered(door: Door) -> None:
    first = await door.identify("good")
    assert await door.identify("good") is first
    assert door.tokens.get("good") is first
    assert door.issuer.verified == ["good"]


async def test_a_token_in_its_last_second_has_expired(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection by it would sign on again, and again, until the second is over."""
    monkeypatch.setattr(door.issuer, "verify", lambda token, now: Claims("ana", expires_at=int(now)))
    with pytest.raises(TokenExpired):
        await door.identify("good")


async def test_two_tokens_of_one_user(door: Door) -> None:
    door.issuer.tokens["other"] = Claims("ana", name="Ana Maria")
    first, second = await door.identify("good"), await door.identify("other")
    assert first.user.key == second.user.key
    assert second.user.name == "Ana Maria"


async def test_another_token_that_says_the_same_costs_no_transaction(door: Door) -> None:
    door.issuer.tokens["next"] = Claims("ana", expires_at=FAR_FUTURE + 1, token_id="jti-2")
    first = await door.identify("good")
    batches = door.house.journal.batches
    second = await door.identify("next")
    assert door.house.journal.batches == batches
    assert (second.user, second.token_id, second.expires_at) == (first.user, "jti-2", FAR_FUTURE + 1)


async def test_of_what_tokens_say_only_the_last_counts(door: Door) -> None:
    door.issuer.tokens |= {"married": Claims("ana", name="Ana Maria"), "again": Claims("ana", token_id="jti-3")}
    names = [(await door.identify(token)).user.name for token in ("good", "married", "again")]
    assert names == ["Ana", "Ana Maria", "Ana"]
    assert (await door.house.reads.ask(GetUser((await door.identify("again")).user.id))).name == "Ana"


async def test_only_so_many_users_are_known(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TOKENS_CACHED", 2)
    for n in (0, 1, 2):
        door.issuer.tokens |= {f"{n}": Claims(f"u{n}", email=f"u{n}@x.org"), f"{n}+": Claims(f"u{n}", f"u{n}@x.org")}
        await door.identify(f"{n}")
    for n, asked in ((2, 0), (1, 0), (0, 1)):
        reads = door.reads
        await door.identify(f"{n}+")
        assert door.reads == reads + asked


def test_revoked_tokens_are_forgotten_a_day_after_they_have_expired(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actors.limits.REVOKED_TOKENS_LOOKED_AT", 4)
    now = 10**12
    expired = now - limits.ACCESS_CHANGES_SECONDS * 1000
    revoked = RevokedTokens({"just expired": expired + 1}, clock=lambda: now / 1000)
    revoked.add({"going on": now + 1, "unknown": None})
    for number in range(100):
        revoked.add({f"{number}": expired})
        assert len(revoked) <= 2 * 4
    assert all(name in revoked for name in ("just expired", "going on", "unknown"))


async def test_what_was_revoked_is_refused_also_where_its_user_is_known(door: Door) -> None:
    door.issuer.tokens["next"] = Claims("ana", token_id="stolen")
    await door.identify("good")
    door.ref.tell(AccessChanged(AccessChanges([AccessChange(1, "token", "stolen", None)])))
    with pytest.raises(Unauthenticated, match="revoked"):
        await door.identify("next")


async def test_an_answer_that_a_change_overtakes_is_not_remembered(door: Door) -> None:
    """Which of the two is older nobody knows: whoever asks next is told what is true then."""
    asked = door.ask("good")
    await asyncio.sleep(0)  # the actor's turn: the journal has the question
    door.ref.tell(AccessChanged(AccessChanges([AccessChange(1, "user", "somebody", None)])))
    who = await answer(asked)
    assert door.tokens.get("good") is None
    reads = door.reads
    assert await door.identify("good") == who
    assert door.reads == reads + 1
    assert door.tokens.get("good") is not None


async def test_many_at_once_make_one_user(door: Door) -> None:
    asked = [door.ask("good") for _ in range(20)]
    found = [await one for one in asked]
    assert len({who.user.key for who in found}) == 1
    assert len((await door.house.reads.ask(ListUsers(found[0], UserFilter(), limit=99, after=None))).items) == 1


# What is not good


async def test_a_bad_token_is_refused_each_time(door: Door) -> None:
    door.issuer.failure = Unauthenticated("The signature is wrong.")
    for _ in range(2):
        with pytest.raises(Unauthenticated, match="signature"):
            await door.identify("forged")
    assert door.issuer.verified == ["forged"] * 2
    assert door.issuer.refreshed == 0
    assert door.tokens.get("forged") is None
    assert (
        await door.house.reads.ask(ListUsers(identity(role="ADMIN"), UserFilter(), limit=9, after=None))
    ).items == ()


async def test_a_domain_that_is_not_allowed(door: Door) -> None:
    door.issuer.failure = Forbidden("Not from there.", code="domain_not_allowed")
    with pytest.raises(Forbidden) as caught:
        await door.identify("good")
    assert caught.value.code == "domain_not_allowed"


async def test_a_domain_that_is_no_longer_allowed(door: Door) -> None:
    """Sessions and keys may be older than the rule; a token of another issuer was judged by it just now."""
    door.issuer.tokens["session"] = Claims("ana", token_id="")
    door.closed_domains.add("example.com")
    with pytest.raises(Forbidden) as caught:
        await door.identify("session")
    assert caught.value.code == "domain_not_allowed"
    assert door.tokens.get("session") is None
    assert (await door.identify("good")).user.subject == "ana"
    door.closed_domains.clear()
    assert (await door.identify("session")).user.subject == "ana"


async def test_a_verifier_with_a_defect(door: Door) -> None:
    door.issuer.failure = ValueError("a defect")
    with pytest.raises(Internal):
        await door.identify("good")
    door.issuer.failure = None
    assert (await door.identify("good")).user.name == "Ana"


# Time


async def test_an_identity_is_never_remembered_beyond_its_token(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    door.issuer.tokens["good"] = Claims("ana", expires_at=int(now) + SOON)
    await door.identify("good")
    monkeypatch.setattr(time, "time", lambda: int(now) + SOON - 0.001)
    assert door.tokens.get("good") is not None
    monkeypatch.setattr(time, "time", lambda: float(int(now) + SOON))
    assert door.tokens.get("good") is None
    with pytest.raises(TokenExpired):
        await door.identify("good")
    monkeypatch.setattr(time, "time", lambda: now)
    assert door.tokens.get("good") is None  # forgotten, not only hidden


async def test_only_so_many_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TOKENS_CACHED", 3)
    tokens = VerifiedTokens()
    for n in range(5):
        tokens.put(f"{n}", identity(n))
    assert [tokens.get(f"{n}") is not None for n in range(5)] == [False, False, True, True, True]
    assert tokens.get("nothing") is None


# What changes


async def test_a_user_who_has_changed_is_looked_at_anew(door: Door) -> None:
    door.issuer.tokens |= {"second": Claims("ana"), "bo": Claims("bo", email="bo@example.com")}
    ana, bo = await door.identify("good"), await door.identify("bo")
    await door.identify("second")
    root = await door.house.user("root", role="ADMIN")
    await door.house.do(UpdateUser(identity=root, user_id=ana.user.id, role="ADMIN"))
    door.ref.tell(AccessChanged(AccessChanges([AccessChange(1, "user", ana.user.id, None)])))
    await until(lambda: door.tokens.get("good") is None)
    assert door.tokens.get("second") is None
    assert door.tokens.get("bo") is bo
    assert (await door.identify("good")).is_admin


async def test_a_deactivated_user_is_refused_and_comes_back_when_activated(door: Door) -> None:
    ana = await door.identify("good")
    root = await door.house.user("root", role="ADMIN")
    for status in ("DEACTIVATED", "ACTIVE"):
        await door.house.do(UpdateUser(identity=root, user_id=ana.user.id, status=status))
        door.ref.tell(AccessChanged(AccessChanges([AccessChange(1, "user", ana.user.id, None)])))
        if status == "DEACTIVATED":
            for _ in range(2):
                with pytest.raises(Unauthenticated, match="deactivated"):
                    await door.identify("good")
            assert door.tokens.get("good") is None
    assert (await door.identify("good")).user.key == ana.user.key


async def test_a_deleted_user_is_refused(door: Door) -> None:
    ana = await door.identify("good")
    root = await door.house.user("root", role="ADMIN")
    await door.house.do(DeleteUser(identity=root, user_id=ana.user.id))
    door.ref.tell(AccessChanged(AccessChanges([AccessChange(1, "user", ana.user.id, None)])))
    with pytest.raises(Unauthenticated, match="deactivated"):
        await door.identify("good")


# Keys


async def test_an_unknown_key_is_fetched_once_then_the_token_is_tried_again(door: Door) -> None:
    door.issuer.new_tokens["rotated"] = Claims("ana")
    assert (await door.identify("rotated")).user.subject == "ana"
    assert door.issuer.refreshed == 1
    assert door.issuer.verified == ["rotated", "rotated"]


async def test_a_key_that_stays_unknown(door: Door) -> None:
    with pytest.raises(Unauthenticated) as caught:
        await door.identify("of nobody's key")
    assert caught.value.code == "unknown_key"
    assert (door.issuer.refreshed, len(door.issuer.verified)) == (1, 2)


async def test_keys_that_cannot_be_fetched(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    door.issuer.refresh_failure = OSError("no route to the issuer")
    with pytest.raises(Unauthenticated) as caught:
        await door.identify("rotated")
    assert caught.value.code == "unknown_key"
    assert "no route to the issuer" in caplog.text
    assert (await door.identify("good")).user.name == "Ana"


async def test_keys_that_are_never_fetched(stage: Stage, house: House) -> None:
    door = Door(stage, house, refresh=False)
    with pytest.raises(Unauthenticated):
        await door.identify("rotated")
    assert (door.issuer.refreshed, len(door.issuer.verified)) == (0, 1)


async def test_others_are_let_in_while_keys_are_fetched(door: Door) -> None:
    door.issuer.gate = asyncio.Event()
    door.issuer.new_tokens["rotated"] = Claims("bo", email="bo@example.com")
    waiting = door.ask("rotated")
    assert (await door.identify("good")).user.subject == "ana"
    assert not waiting.done
    door.issuer.gate.set()
    assert (await waiting).user.subject == "bo"


async def test_a_defect_after_the_keys_were_fetched_is_answered(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    door.issuer.gate = asyncio.Event()
    waiting = door.ask("rotated")
    await until(lambda: door.issuer.refreshed)
    door.issuer.failure = ValueError("a defect")
    door.issuer.gate.set()
    with pytest.raises(Internal):
        await asyncio.wait_for(answer(waiting), 10)
    assert "a defect" in caplog.text


async def test_stopping_while_keys_are_fetched_answers_who_waits(door: Door) -> None:
    door.issuer.gate = asyncio.Event()
    waiting = door.ask("rotated")
    await until(lambda: door.issuer.refreshed)
    door.actor.stop()
    await settle()
    door.issuer.gate.set()
    with pytest.raises(ShuttingDown):
        await asyncio.wait_for(answer(waiting), 10)


# Whether one may come in


async def test_who_may_enter(door: Door) -> None:
    await door.ref.ask(MayEnter(HERE))
    closed = replace(HERE, user=replace(HERE.user, domain="closed.com"))
    door.closed_domains.add("closed.com")
    away = replace(HERE, user=replace(HERE.user, status="DEACTIVATED"))
    for who, error in ((away, Unauthenticated), (closed, Forbidden)):
        with pytest.raises(error):
            await door.ref.ask(MayEnter(who))
    await door.ref.ask(MayEnter(replace(closed, token_id="jti")))  # its issuer's rules were just looked at
    door.ref.tell(AccessChanged(AccessChanges([AccessChange(1, "token", "jti", None)])))
    with pytest.raises(Unauthenticated, match="was revoked"):
        await door.ref.ask(MayEnter(replace(HERE, token_id="jti")))


# What is no write


@pytest.mark.parametrize("token", [API_KEY_PREFIX + "guessed", "forged", "expired", "ended"])
async def test_a_stranger_s_credential_never_gets_to_the_journal(door: Door, token: str) -> None:
    door.issuer.tokens |= {"expired": Claims("ana", expires_at=1), "ended": Claims("ana", session_id="of nobody")}
    with pytest.raises(Unauthenticated):
        await door.identify(token)
    assert door.house.journal.batches == 0


async def test_a_user_who_is_stored_already_costs_no_transaction_after_a_restart(
    door: Door, stage: Stage, house: House
) -> None:
    first = await door.identify("good")
    batches = house.journal.batches
    again = Door(stage, house)
    again.issuer.tokens["good"] = Claims("ana")
    assert (await again.identify("good")).user == first.user
    assert house.journal.batches == batches


@pytest.mark.parametrize("status", ["DEACTIVATED", "deleted"])
async def test_who_may_not_come_in_any_more_costs_no_transaction(door: Door, house: House, status: str) -> None:
    ana, root = await door.identify("good"), await house.user("root", role="ADMIN")
    change: Any = UpdateUser(identity=root, user_id=ana.user.id, status="DEACTIVATED")
    if status == "deleted":
        change = DeleteUser(identity=root, user_id=ana.user.id)
    await house.do(change)
    door.tell_of_user(ana)
    door.issuer.tokens["good"] = Claims("ana", name="Another name")
    batches = house.journal.batches
    with pytest.raises(Unauthenticated):
        await door.identify("good")
    assert house.journal.batches == batches


async def test_when_a_session_was_used_is_written_once_in_a_while(
    door: Door, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = await house.user("ana")
    origin = Origin("127.0.0.1", "a test", "c")
    start = StartSession(user_id=ana.user.id, method="PASSWORD", refresh_hash=b"h" * 32, origin=origin)
    session = (await house.do(start)).result.session
    for token in ("one", "two"):
        door.issuer.tokens[token] = Claims("ana", session_id=session.id)
    batches = house.journal.batches
    assert (await door.identify("one")).session_id == session.id
    await settle(30)
    assert house.journal.batches == batches  # it has just begun
    monkeypatch.setattr(limits, "SEEN_SECONDS", -60)
    await door.identify("two")
    await until(lambda: house.journal.batches == batches + 1)


@pytest.mark.parametrize(
    ("seconds_ago", "is_noted"), [(None, True), (limits.SEEN_SECONDS + 5, True), (limits.SEEN_SECONDS - 5, False)]
)
@pytest.mark.parametrize("kind", ["session", "api_key"])
async def test_the_use_of_a_credential_is_noted_where_the_last_one_was_long_ago(
    door: Door, monkeypatch: pytest.MonkeyPatch, kind: str, seconds_ago: int | None, is_noted: bool
) -> None:
    at = None if seconds_ago is None else int((time.time() - seconds_ago) * 1000)
    session: Any = SimpleNamespace(id="s", last_seen_at=at or 0)
    key: Any = SimpleNamespace(id="k", last_used_at=at, scopes=("read",), expires_at=None)
    found = SignedIn(HERE.user, session) if kind == "session" else UsedKey(HERE.user, key)
    noted: list[Any] = []

    async def read(asked: Sequence[Credential]) -> Sequence[Found]:
        return [found]

    class Full:
        def append(self, command: Any) -> Any:
            noted.append(command)
            raise Overloaded("too much")

    monkeypatch.setattr(door.actor._lookup, "_read", read)
    monkeypatch.setattr(door.actor, "_journal", Full())
    door.issuer.tokens["good"] = Claims("ana", session_id="s")
    who = await door.identify("good" if kind == "session" else API_KEY_PREFIX + "k")
    assert who.user == HERE.user
    use = NoteUse(session_id="s") if kind == "session" else NoteUse(api_key_id="k")
    assert noted == ([use] if is_noted else [])


async def test_what_is_too_long_to_be_a_key_is_not_looked_up(door: Door) -> None:
    longest = API_KEY_PREFIX + "k" * (limits.API_KEY_CHARS - len(API_KEY_PREFIX))
    for token, reads in ((longest, 1), (longest + "k", 1)):
        with pytest.raises(Unauthenticated):
            await door.identify(token)
        assert door.reads == reads


async def test_a_thousand_at_once_are_a_few_reads(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    read = door.actor._lookup._read

    async def noting(asked: Any) -> Any:
        sizes.append(len(asked))
        return await read(asked)

    monkeypatch.setattr(door.actor._lookup, "_read", noting)
    waiting = [door.ask(f"{API_KEY_PREFIX}{n}") for n in range(1_000)]
    for asked in waiting:
        with pytest.raises(Unauthenticated):
            await asked
    assert sizes == [limits.CREDENTIALS_AT_ONCE] * 3 + [1_000 - 3 * limits.CREDENTIALS_AT_ONCE]


@pytest.mark.parametrize("failure", [StorageUnavailable("away"), ValueError("a defect")])
async def test_a_read_that_fails_is_answered_and_the_next_one_is_read(
    door: Door, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    async def failing(_: Any) -> Any:
        raise failure

    with monkeypatch.context() as patch:
        patch.setattr(door.actor._lookup, "_read", failing)
        with pytest.raises(StorageUnavailable if isinstance(failure, StorageUnavailable) else Internal):
            await door.identify("good")
    assert (await door.identify("good")).user.subject == "ana"


# Load


@pytest.mark.parametrize("token", ["good", "rotated"])
async def test_too_much_in_flight_is_answered(door: Door, monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    door.issuer.new_tokens["rotated"] = Claims("ana")
    monkeypatch.setattr(limits, "COMMANDS_IN_ALL", 0)
    with pytest.raises(Overloaded):
        await door.identify(token)
    monkeypatch.undo()
    assert (await door.identify(token)).user.subject == "ana"


async def test_who_comes_while_the_server_shuts_down_is_answered(door: Door) -> None:
    await door.house.journal.close()
    with pytest.raises(ShuttingDown):
        await door.identify("good")


async def test_an_identity_has_the_rights_of_its_user() -> None:
    assert identity_of(user(1, role="ADMIN")).is_admin
    assert not identity_of(user(1)).is_admin
