"""Signatures that any library of the Standard Webhooks specification verifies."""

import base64

from server.outbound.webhooks.signing import headers, new_secret
from tests.server.outbound.webhooks.hooks import WEBHOOKS, hook
from tests.server.outbound.webhooks.receiver import Receiver
from tests.serving import Client


def test_the_example_of_the_specification() -> None:
    """https://github.com/standard-webhooks/standard-webhooks, test vector of its libraries."""
    made = headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}',
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    )  # fmt: skip
    assert made == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_secrets_are_random_and_long() -> None:
    one, other = new_secret(), new_secret()
    assert one != other
    assert one.startswith("whsec_")
    assert len(base64.b64decode(one.removeprefix("whsec_"), validate=True)) == 32


async def test_two_secrets_sign_during_a_rotation(alice: Client, receiver: Receiver) -> None:
    thread = await alice.thread()
    made = await hook(alice, receiver)
    rotated = (await alice.post(f"{WEBHOOKS}/{made['id']}/rotate", overlap=3600)).data
    assert rotated["secret"] != made["secret"]
    assert rotated["previous_secret_until"] is not None
    await alice.say(thread)
    (got,) = await receiver.until(1)
    assert got.is_signed_by(made["secret"])
    assert got.is_signed_by(rotated["secret"])
    assert len(got.signatures()) == 2


async def test_without_an_overlap_the_old_secret_ends_at_once(alice: Client, receiver: Receiver) -> None:
    thread = await alice.thread()
    made = await hook(alice, receiver)
    rotated = (await alice.post(f"{WEBHOOKS}/{made['id']}/rotate", overlap=0)).data
    await alice.say(thread)
    (got,) = await receiver.until(1)
    assert not got.is_signed_by(made["secret"])
    assert got.is_signed_by(rotated["secret"])
