"""The encryption of Web Push, against the example of its RFC; and how much fits into a push."""

import base64

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from actors import limits
from actors.resources.notifications import Notification
from actors.resources.push import Pushed
from actors.resources.users import Author
from server.outbound.push.encryption import RECORD_BYTES, encrypt
from server.outbound.push.payload import payload, topic
from server.outbound.push.vapid import Vapid
from tests.server.outbound.push.browser import Browser

# RFC 8291, appendix A
CLEAR = b"When I grow up, I want to be a watermelon"
BODY = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_"
    "yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)
BROWSER = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
SERVER = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
SALT = "DGv6ra1nlYgDCS1FRnbzlw"


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_the_example_of_the_rfc() -> None:
    key = ec.derive_private_key(int.from_bytes(decoded(SERVER), "big"), ec.SECP256R1())
    body = encrypt(CLEAR, decoded(BROWSER), decoded(AUTH), salt=decoded(SALT), own_key=key)
    assert body == decoded(BODY)


def notification(**more: object) -> Notification:
    actor = Author(1, "c" * 25, "Ana", "HUMAN", "https://example.com/" + "a" * 1_900)
    known = {"id": "c" * 25, "kind": "mention", "thread_id": "c" * 25, "message_id": "c" * 25, "actor": actor}
    return Notification(1, **{**known, "excerpt": "", "created_at": 1, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize("excerpt", ["short", "見" * limits.EXCERPT_CHARS, "\x01" * limits.EXCERPT_CHARS])
def test_a_push_is_never_longer_than_a_push_service_takes(excerpt: str) -> None:
    body = payload(Pushed(notification(excerpt=excerpt), (), 1, False))
    assert len(body) <= limits.PUSH_PAYLOAD_BYTES
    encrypted = encrypt(body, decoded(BROWSER), decoded(AUTH))
    assert len(encrypted) == len(body) + 103 <= RECORD_BYTES


def test_a_topic_says_nothing_of_its_thread() -> None:
    names = {topic(notification(thread_id=thread, kind=kind)) for thread in "ab" for kind in ("mention", "reply")}
    assert len(names) == 4
    assert {len(name) for name in names} == {32}


def test_a_token_is_used_again_for_an_hour() -> None:
    now = 1_000_000.0
    vapid = Vapid(Browser("").key, None, clock=lambda: now)
    first = vapid.authorization("https://a.example/1")
    assert vapid.authorization("https://a.example/2") == first
    assert vapid.authorization("https://b.example/1") != first
    for number in range(limits.PUSH_TOKENS):
        vapid.authorization(f"https://{number}.example/1")
    assert len(vapid._tokens) == limits.PUSH_TOKENS
    first = vapid.authorization("https://a.example/1")
    now += limits.PUSH_TOKEN_REUSED_SECONDS
    assert vapid.authorization("https://a.example/1") != first


def test_a_token_of_a_clock_that_was_ahead_is_not_used_again() -> None:
    """Push services refuse one that is good for more than a day (RFC 8292)."""
    now = 1_000_000.0 + 7 * 86_400
    vapid = Vapid(Browser("").key, None, clock=lambda: now)
    vapid.authorization("https://a.example/1")
    now -= 7 * 86_400
    token = vapid.authorization("https://a.example/1").partition("t=")[2].partition(",")[0]
    assert jwt.decode(token, options={"verify_signature": False})["exp"] <= now + 86_400
