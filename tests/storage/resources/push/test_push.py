"""Subscriptions to Web Push in the store: whose an endpoint is, how many there may be, what push services answer."""

from dataclasses import replace
from typing import Any

import pytest

from actors import limits
from actors.auth.identity import Identity
from actors.errors import NotFound
from actors.resources.push import ListSubscriptions, PushSubscription, RecordPush, Subscribe, Unsubscribe
from storage.readers.answers import answer
from tests.builders import Ledger, once


def subscribe(ledger: Ledger, who: Identity, endpoint: str = "https://push.example/1", **more: Any) -> PushSubscription:
    command = Subscribe(identity=who, endpoint=endpoint, p256dh=b"public", auth=b"secret", name="phone", **more)
    made = ledger.do(command).result
    assert isinstance(made, PushSubscription)
    return made


def endpoints(ledger: Ledger, who: Identity) -> list[str]:
    return [each.endpoint.rpartition("/")[2] for each in ledger.ask(answer, ListSubscriptions(who))]


def test_an_endpoint_is_of_the_user_who_named_it_last(ledger: Ledger, ana: Identity, bo: Identity) -> None:
    subscribe(ledger, ana, "https://push.example/1")
    subscribe(ledger, ana, "https://push.example/2")
    subscribe(ledger, bo, "https://push.example/1")
    assert (endpoints(ledger, ana), endpoints(ledger, bo)) == (["2"], ["1"])


def test_a_retry_makes_no_second_one(ledger: Ledger, ana: Identity) -> None:
    first = subscribe(ledger, ana, once=once())
    assert subscribe(ledger, ana, once=once()) == first
    assert endpoints(ledger, ana) == ["1"]


def test_the_oldest_make_room(ledger: Ledger, ana: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PUSH_SUBSCRIPTIONS", 2)
    for number in range(4):
        subscribe(ledger, ana, f"https://push.example/{number}")
    assert endpoints(ledger, ana) == ["3", "2"]


def test_only_its_user_ends_it(ledger: Ledger, ana: Identity, bo: Identity) -> None:
    made = subscribe(ledger, ana)
    with pytest.raises(NotFound):
        ledger.do(Unsubscribe(identity=bo, subscription_id=made.id))
    ledger.do(Unsubscribe(identity=ana, subscription_id=made.id))
    assert endpoints(ledger, ana) == []


def test_the_first_failure_since_a_success_is_kept(ledger: Ledger, ana: Identity) -> None:
    made, other = subscribe(ledger, ana), subscribe(ledger, ana, "https://push.example/2")

    def state() -> tuple[bool, int | None]:
        (found,) = (each for each in ledger.ask(answer, ListSubscriptions(ana)) if each.id == made.id)
        return found.sent_at is not None, found.failing_since

    assert state() == (False, None)
    ledger.do(RecordPush(failed=(made.key,)))
    ledger.sql("UPDATE push_subscription SET failing_since = 1000")
    ledger.do(RecordPush(failed=(made.key,)))
    assert state() == (False, 1000)
    ledger.do(RecordPush(sent=(made.key,)))
    assert state() == (True, None)
    ledger.do(RecordPush(gone=(other.key,)))
    assert endpoints(ledger, ana) == ["1"]


def test_what_is_done_to_one_is_not_done_to_others(
    ledger: Ledger, ana: Identity, bo: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, made = subscribe(ledger, bo, "https://push.example/9"), subscribe(ledger, ana)
    for outcome in ("failed", "sent"):
        ledger.do(RecordPush(**{outcome: (made.key,)}))
        assert ledger.ask(answer, ListSubscriptions(bo)) == [other]
    ledger.do(RecordPush())
    monkeypatch.setattr(limits, "PUSH_SUBSCRIPTIONS", 1)
    subscribe(ledger, ana, "https://push.example/2")
    subscribe(ledger, ana, "https://push.example/3")
    assert (endpoints(ledger, ana), endpoints(ledger, bo)) == (["3"], ["9"])
    ledger.do(Unsubscribe(identity=ana, subscription_id=ledger.ask(answer, ListSubscriptions(ana))[0].id))
    assert (endpoints(ledger, ana), endpoints(ledger, bo)) == ([], ["9"])
    ledger.do(RecordPush(gone=(other.key,)))
    assert endpoints(ledger, bo) == []


def test_it_belongs_to_the_session_or_the_key_that_made_it(ledger: Ledger, ana: Identity) -> None:
    subscribe(ledger, ana)
    assert ledger.sql("SELECT session, api_key FROM push_subscription") == [(None, None)]
    for identity, expected in (
        (replace(ana, session_id="a session"), ("a session", None)), (replace(ana, api_key_id="a key"), (None, "a key"))
    ):  # fmt: skip
        subscribe(ledger, identity)
        assert ledger.sql("SELECT session, api_key FROM push_subscription") == [expected]
