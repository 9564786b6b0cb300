"""Tokens under attack: whatever is not a good token by a pinned key is refused in one sentence, and by nothing else."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jwt import PyJWK

from actors import limits
from actors.errors import CODES, Forbidden, TokenExpired, Unauthenticated, XpError
from server.auth import tokens
from server.auth.token_minting import mint
from server.auth.tokens import ChannelClaims, Claims, KeySet, TokenRules, TokenVerifier, inspect_unverified

NOW = 1_800_000_000.0
SECRET = b"a secret that is only good for tests, and long enough"
GOOD = {"sub": "ana", "email": "ana@corp.com", "exp": NOW + 60}
RULES = TokenRules(allowed_domains=("corp.com", "Korp.com"), secret=SECRET)
DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())
ED = ed25519.Ed25519PrivateKey.generate()

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A busy machine is no reason for a property to fail."""

Signer = Callable[[bytes], bytes]


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def by_secret(text: bytes, secret: bytes = SECRET) -> bytes:
    return hmac.new(secret, text, hashlib.sha256).digest()


def by_rsa(text: bytes) -> bytes:
    return RSA.sign(text, padding.PKCS1v15(), hashes.SHA256())


def by_ec(text: bytes) -> bytes:
    r, s = decode_dss_signature(EC.sign(text, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def forge(header: Any, payload: Any, sign: Signer = by_secret) -> str:
    """A token by hand, with the signature that belongs to it: parts are JSON values, or bytes as they are."""
    parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, payload)]
    text = ".".join(map(b64, parts))
    return f"{text}.{b64(sign(text.encode()))}"


def saying(**claims: Any) -> str:
    return forge({"alg": "HS256"}, {**GOOD, **claims})


def headed(**header: Any) -> str:
    return forge({"alg": "HS256", **header}, GOOD)


def published() -> KeySet:
    keys = KeySet()
    signers = {"rsa": (RSA, "RS256"), "ec": (EC, "ES256"), "ed": (ED, "EdDSA")}
    for kid, (key, algorithm) in signers.items():
        jwk = jwt.get_algorithm_by_name(algorithm).to_jwk(key.public_key(), as_dict=True)
        keys.keys = {**keys.keys, kid: PyJWK(jwk, algorithm)}
    return keys


KEYS = published()
BOTH = replace(RULES, keys=KEYS)
ISSUED = replace(RULES, secret=None, keys=KEYS)


def verify(token: str, rules: TokenRules = RULES) -> Claims:
    return TokenVerifier(rules).verify(token, NOW)


def refusal(token: str, rules: TokenRules = RULES) -> str:
    """The sentence it is refused with. It tells nothing of the keys."""
    with pytest.raises(Unauthenticated) as caught:
        verify(token, rules)
    detail = caught.value.detail
    assert type(caught.value) is Unauthenticated
    assert caught.value.code == "unauthenticated"
    assert detail.endswith(".")
    assert "\n" not in detail
    assert SECRET.decode() not in detail
    return detail


# Good tokens


def test_the_claims_of_a_good_token() -> None:
    who = {"sub": "ana", "email": "ana@corp.com", "name": "Ana", "domain": "CORP.com", "role": "ADMIN"}
    token = saying(**who, kind="SERVICE", jti="one", exp=NOW + 60.5)
    expected = {**who, "domain": "corp.com", "kind": "SERVICE", "expires_at": int(NOW) + 90, "token_id": "one"}
    assert verify(token) == Claims(**expected)


@pytest.mark.parametrize(
    ("kid", "algorithm", "sign"), [("rsa", "RS256", by_rsa), ("ec", "ES256", by_ec), ("ed", "EdDSA", ED.sign)]
)
@pytest.mark.parametrize("typ", ["JWT", "at+jwt"])
def test_each_kind_of_key_verifies_its_own_algorithm(kid: str, algorithm: str, sign: Signer, typ: str) -> None:
    assert verify(forge({"alg": algorithm, "kid": kid, "typ": typ}, GOOD, sign), ISSUED).sub == "ana"


def test_a_token_without_jti_has_one_name_whatever_its_signature() -> None:
    """Of each ECDSA signature (r, s) there is a second one that is as good, (r, n - s), and anyone can make it."""
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    token = forge({"alg": "ES256", "kid": "ec"}, GOOD, by_ec)
    text, _, letters = token.rpartition(".")
    signature = base64.urlsafe_b64decode(letters + "==")
    other = signature[:32] + (order - int.from_bytes(signature[32:], "big")).to_bytes(32, "big")
    again = f"{text}.{b64(other)}"
    assert again != token
    assert verify(again, ISSUED).token_id == verify(token, ISSUED).token_id != ""
    assert verify(forge({"alg": "ES256", "kid": "ec"}, {**GOOD, "nonce": 1}, by_ec), ISSUED).token_id not in (
        "", verify(token, ISSUED).token_id,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("role", "kind"), [("ROOT", "ROBOT"), ("admin", "human"), (None, None), (["ADMIN"], {}), (1, True)]
)
def test_a_role_or_kind_that_is_none_gives_nothing(role: Any, kind: Any) -> None:
    claims = verify(saying(role=role, kind=kind))
    assert (claims.role, claims.kind) == (None, "HUMAN")


def test_role_and_kind_count_for_nothing_where_they_are_not_trusted() -> None:
    claims = verify(saying(role="ADMIN", kind="SERVICE"), replace(RULES, trust_role_claim=False))
    assert (claims.role, claims.kind) == (None, "HUMAN")


def test_minted_tokens_are_good_and_each_is_its_own() -> None:
    who: dict[str, Any] = {"sub": "bo", "email": "bo@corp.com", "name": "Bo", "domain": "corp.com", "role": "ADMIN"}
    rules = replace(RULES, issuer="us", audience="them")
    first, second = (
        mint(SECRET, **who, kind="ASSISTANT", ttl_seconds=60, issuer="us", audience="them", now=NOW) for _ in "ab"
    )
    claims = verify(first, rules)
    assert claims == Claims(**who, kind="ASSISTANT", expires_at=int(NOW) + 90, token_id=claims.token_id, issuer="us")
    assert claims.token_id != verify(second, rules).token_id
    header, said = inspect_unverified(first)
    assert (header["alg"], said["iat"], said["iss"], said["aud"]) == ("HS256", int(NOW), "us", "them")
    bare = inspect_unverified(mint(SECRET, **who, ttl_seconds=60, now=NOW))[1]
    assert not {"iss", "aud"} & bare.keys()


# Algorithms and keys


@pytest.mark.parametrize(
    "alg", ["none", "None", "NONE", "nOnE", "noNe", "", None, 0, [], {}, ["HS256"], "hs256", "HS512"]
)
@pytest.mark.parametrize("sign", [by_secret, lambda _: b"", lambda _: b"x"], ids=["signed", "unsigned", "anything"])
def test_other_algorithms_are_refused(alg: Any, sign: Signer) -> None:
    for rules in (RULES, ISSUED, BOTH):
        refusal(forge({"alg": alg, "kid": "rsa"}, GOOD, sign), rules)


def test_a_token_without_an_algorithm_is_refused() -> None:
    refusal(forge({"typ": "JWT"}, GOOD))


@pytest.mark.parametrize("rules", [ISSUED, BOTH], ids=["issuer", "both"])
def test_a_public_key_is_no_secret(rules: TokenRules) -> None:
    pem, der = serialization.Encoding.PEM, serialization.Encoding.DER
    spki, pkcs1 = serialization.PublicFormat.SubjectPublicKeyInfo, serialization.PublicFormat.PKCS1
    for encoding, form in [(pem, spki), (pem, pkcs1), (der, spki), (der, pkcs1)]:
        known = RSA.public_key().public_bytes(encoding, form)
        for secret in (known, known.strip()):
            refusal(forge({"alg": "HS256", "kid": "rsa"}, GOOD, lambda text, key=secret: by_secret(text, key)), rules)


@pytest.mark.parametrize(
    ("kid", "algorithm", "sign"),
    [
        ("ec", "RS256", by_rsa), ("rsa", "ES256", by_ec), ("ed", "ES256", by_ec), ("rsa", "EdDSA", ED.sign),
        ("rsa", "RS384", by_rsa), ("rsa", "PS256", by_rsa), ("ec", "ES256K", by_ec), ("rsa", "RS1", by_rsa),
    ],
)  # fmt: skip
def test_the_key_decides_the_algorithm(kid: str, algorithm: str, sign: Signer) -> None:
    assert "algorithm" in refusal(forge({"alg": algorithm, "kid": kid}, GOOD, sign), BOTH)


def test_the_secret_alone_takes_no_other_algorithm_and_the_issuer_no_secret() -> None:
    refusal(forge({"alg": "RS256", "kid": "rsa"}, GOOD, by_rsa), RULES)
    refusal(forge({"alg": "HS256"}, GOOD), ISSUED)


@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c", "crit"])
@pytest.mark.parametrize("value", [None, "", [], ["exp"], "https://evil.example/keys", {"kty": "oct", "k": "AAAA"}])
def test_a_token_brings_no_key_and_demands_nothing(name: str, value: Any) -> None:
    refusal(headed(**{name: value}))


def test_a_key_in_the_header_is_not_used() -> None:
    own = jwt.get_algorithm_by_name("RS256").to_jwk(RSA.public_key(), as_dict=True)
    refusal(forge({"alg": "RS256", "kid": "rsa", "jwk": own}, GOOD, by_rsa), BOTH)


@pytest.mark.parametrize("kid", ["../../../../dev/null", "x'OR'1'='1", "RSA", "|id", "http://evil.example/k"])
def test_a_key_id_is_only_a_name(kid: str) -> None:
    for sign in (by_rsa, lambda text: by_secret(text, b"")):
        with pytest.raises(Unauthenticated) as caught:
            verify(forge({"alg": "RS256", "kid": kid}, GOOD, sign), BOTH)
        assert caught.value.code == "unknown_key"
        assert kid not in caught.value.detail
    assert CODES["unknown_key"] is Unauthenticated


@pytest.mark.parametrize(
    "kid", ["", "x" * 129, "a b", "a\n", "\x00", "ключ", "\ud800", 7, 0, True, None, [], ["rsa"], {}]
)
def test_a_key_id_that_is_no_short_printable_string_is_refused(kid: Any) -> None:
    assert "kid" in refusal(headed(kid=kid), BOTH)
    assert "kid" in refusal(forge({"alg": "RS256", "kid": kid}, GOOD, by_rsa), BOTH)


def test_an_issuers_token_must_name_its_key() -> None:
    assert "kid" in refusal(forge({"alg": "RS256"}, GOOD, by_rsa), BOTH)


@pytest.mark.parametrize("secret", [b"", b"x" * (limits.SECRET_BYTES_LEAST - 1)])
def test_a_short_secret_is_refused_in_one_sentence(secret: bytes) -> None:
    with pytest.raises(ValueError, match="must have at least 16 bytes, it has"):
        TokenVerifier(replace(RULES, secret=secret))
    assert SECRET.decode() not in repr(RULES)


# The shape of a token


@pytest.mark.parametrize("typ", ["JWE", "jwt+evil", "dpop+jwt", "", None, 1, [], {}, ["JWT"]])
def test_another_type_is_refused(typ: Any) -> None:
    assert "typ" in refusal(headed(typ=typ))


@pytest.mark.parametrize(
    "token",
    [
        "", ".", "..", "...", "a", "a.b", "a.b.c", "a.b.c.d", ".a.b", "a..b", "a.b.", " ", "\x00", "é.é.é",
        "\ud800.a.b", "💥", "Bearer a.b.c", "a.b.c\n", "!!.!!.!!", "=.=.=", "A.A.A",
        "e30.e30.e30", "bnVsbA.bnVsbA.bnVsbA",
    ],
)  # fmt: skip
def test_garbage_is_refused(token: str) -> None:
    refusal(token, BOTH)


@pytest.mark.parametrize("part", [0, 1, 2])
def test_an_empty_part_or_one_with_other_characters_is_refused(part: int) -> None:
    for changed in ("", "=", "+/", "\n"):
        parts = saying().split(".")
        parts[part] = changed and parts[part] + changed
        refusal(".".join(parts))


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"{", b"null", b"[]", b"1", b'"text"', b"\xff\xfe", b'{"sub": "\xe9"}', b'{"sub": "\xed\xa0\x80"}',
        b"{}{}", json.dumps(GOOD).encode("utf-16"), json.dumps(GOOD).encode("utf-32"),
        b"\xef\xbb\xbf" + json.dumps(GOOD).encode(),
        b'{"a":' + b"[" * 2_500 + b"]" * 2_500 + b"}", b'{"exp":' + b"9" * 5_000 + b"}",
        saying().encode(),
    ],
    ids=lambda raw: repr(raw[:12]),
)  # fmt: skip
def test_parts_that_are_no_json_objects_in_utf_8_are_refused(raw: bytes) -> None:
    refusal(forge({"alg": "HS256"}, raw))
    refusal(forge(raw, GOOD))


def test_a_token_within_a_token_is_refused() -> None:
    refusal(forge({"alg": "HS256", "cty": "JWT"}, saying().encode()))


@pytest.mark.parametrize("names", [("sub", "sub"), ("exp", "exp"), ("domain", "domain"), ("role", "r\\u006fle")])
def test_a_repeated_claim_is_refused(names: tuple[str, str]) -> None:
    pairs = "".join(f', "{name}": "{value}"' for name, value in zip(names, ("a", "b"), strict=True))
    refusal(forge({"alg": "HS256"}, (json.dumps(GOOD)[:-1] + pairs + "}").encode()))


def test_a_name_repeated_in_the_header_or_further_down_is_refused() -> None:
    refusal(forge(b'{"alg": "none", "alg": "HS256"}', GOOD))
    refusal(forge({"alg": "HS256"}, (json.dumps(GOOD)[:-1] + ', "x": [{"a": 1, "a": 2}]}').encode()))


def test_the_size_of_a_token_is_bounded() -> None:
    spare = limits.TOKEN_BYTES - len(saying(x=""))
    fits = saying(x="x" * (spare * 3 // 4 - 3))
    assert limits.TOKEN_BYTES - 8 <= len(fits) <= limits.TOKEN_BYTES
    assert verify(fits).sub == "ana"
    assert str(limits.TOKEN_BYTES) in refusal(saying(x="x" * (spare * 3 // 4 + 3)))
    assert str(limits.TOKEN_BYTES) in refusal("." * 10_000_000)


# Signatures


@pytest.mark.parametrize(
    ("header", "sign"),
    [
        ({"alg": "HS256"}, by_secret), ({"alg": "RS256", "kid": "rsa"}, by_rsa), ({"alg": "ES256", "kid": "ec"}, by_ec),
        ({"alg": "EdDSA", "kid": "ed"}, ED.sign),
    ],
    ids=["HS256", "RS256", "ES256", "EdDSA"],
)  # fmt: skip
def test_a_signature_that_is_not_the_tokens_is_refused(header: dict[str, Any], sign: Signer) -> None:
    token = forge(header, GOOD, sign)
    text, _, signature = token.rpartition(".")
    raw = sign(text.encode())
    others = [
        raw[:-1],
        raw[:1],
        raw + b"\x00",
        raw * 2,
        raw[::-1],
        bytes(len(raw)),
        bytes([raw[0] ^ 1]) + raw[1:],
        b"x",
    ]
    for other in others:
        refusal(f"{text}.{b64(other)}", BOTH)
    refusal(forge(header, {**GOOD, "sub": "bo"}, lambda _: raw), BOTH)
    for cut in (1, 2, 3, 5):
        refusal(token[:-cut], BOTH)
    assert verify(f"{text}.{signature}", BOTH).sub == "ana"


def test_trailing_bits_make_no_second_spelling_of_a_token() -> None:
    token = saying()
    first = DIGITS.index(token[-1]) & ~0b11  # 32 bytes leave two bits of the last digit unused
    spellings = [token[:-1] + DIGITS[first + unused] for unused in range(4)]
    assert token in spellings
    for spelling in spellings:
        if spelling != token:
            refusal(spelling)


def test_the_signature_is_judged_before_the_claims() -> None:
    for claims in ({"exp": 1}, {"email": "eve@evil.example"}, {"sub": 1}, {"exp": "soon"}):
        assert "signature" in refusal(forge({"alg": "HS256"}, {**GOOD, **claims}, lambda _: b"x" * 32))


def test_whatever_the_library_raises_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError(SECRET.decode())

    monkeypatch.setattr(jwt.algorithms.RSAAlgorithm, "verify", broken)
    refusal(forge({"alg": "RS256", "kid": "rsa"}, GOOD, by_rsa), BOTH)


@pytest.mark.parametrize("size", [16, 19, 31])
def test_a_secret_of_fewer_bytes_than_the_hash_signs_and_verifies(size: int) -> None:
    """Of the first system, whose own example has 19; pytest makes any warning of a library a failure."""
    secret = b"your-jwt-secret-key, and then more"[:size]
    rules = replace(RULES, secret=secret)
    assert verify(forge({"alg": "HS256"}, GOOD, lambda text: by_secret(text, secret)), rules).sub == "ana"
    minted = mint(secret, sub="ana", email="", name="", domain="corp.com", ttl_seconds=60, now=NOW)
    assert verify(minted, rules).sub == "ana"
    assert jwt.decode(minted, options={"verify_signature": False})["sub"] == "ana"
    refusal(minted)


@pytest.mark.parametrize("part", range(3))
def test_a_token_spelled_in_another_way_is_another_token(part: int) -> None:
    """Bits that mean nothing are set in the last letter: by its text, it would not be the one that was revoked."""
    claims = {**GOOD, "name": ""}
    while len(b64(json.dumps(claims).encode())) % 4 == 0:
        claims["name"] += "x"
    text = forge({"alg": "HS256"}, claims)
    parts = text.split(".")
    assert len(parts[part]) % 4, "all bits of its last letter mean something"
    last = DIGITS.index(parts[part][-1])
    parts[part] = parts[part][:-1] + DIGITS[last + 1]
    if part < 2:  # signed as it is spelled
        parts[2] = b64(by_secret(".".join(parts[:2]).encode()))
    verify(text)
    refusal(".".join(parts))


@pytest.mark.parametrize("form", [serialization.Encoding.PEM, serialization.Encoding.DER])
def test_a_public_key_cannot_be_configured_as_the_secret(form: serialization.Encoding) -> None:
    """Everybody has it: whoever does could sign."""
    key = RSA.public_key().public_bytes(form, serialization.PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(ValueError, match="the secret is no secret"):
        TokenVerifier(replace(RULES, secret=key))


GOOD_TOKENS = [
    saying(),
    forge({"alg": "ES256", "kid": "ec"}, GOOD, by_ec),
    forge({"alg": "EdDSA", "kid": "ed"}, GOOD, ED.sign),
]


@settings(UNHURRIED, max_examples=500)
@given(st.sampled_from(GOOD_TOKENS), st.data())
def test_no_changed_byte_makes_another_identity(token: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(token) - 1))
    byte = data.draw(st.integers(0, 255))
    changed = bytes([*token.encode()[:at], byte, *token.encode()[at + 1 :]]).decode("latin-1")
    try:
        claims = verify(changed, BOTH)
    except XpError:
        assert changed != token
    else:
        assert changed == token  # stronger than needed: there is no second spelling at all
        assert claims == verify(token, BOTH)


TEXT = st.text(st.characters(), max_size=20)  # with halves of surrogate pairs, too
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
CLAIMS = ["sub", "email", "name", "domain", "role", "kind", "jti", "exp", "nbf", "iat", "iss", "aud"]
HEADERS = ["alg", "typ", "kid", "cty", "crit", "b64", "jwk", "zip"]


@UNHURRIED
@given(st.dictionaries(st.sampled_from(HEADERS), JSON), st.dictionaries(st.sampled_from(CLAIMS), JSON))
def test_signed_nonsense_raises_only_errors_of_the_catalogue(header: dict[str, Any], claims: dict[str, Any]) -> None:
    rules = replace(BOTH, issuer="us", audience="them")
    try:
        found = verify(forge({"alg": "HS256", **header}, {**GOOD, "iss": "us", "aud": "them", **claims}), rules)
    except XpError:
        return
    for text in (found.sub, found.email, found.name, found.domain, found.token_id):
        text.encode()  # can be stored


@UNHURRIED
@given(st.text(max_size=60) | st.from_regex(r"[A-Za-z0-9_-]{1,30}\.[A-Za-z0-9_-]{1,30}\.[A-Za-z0-9_-]{1,30}"))
def test_any_text_is_refused(token: str) -> None:
    refusal(token, BOTH)


# Times


@pytest.mark.parametrize(
    "raw",
    [
        '"1800000060"', '""', "true", "false", "null", "[]", "{}", "[1800000060]", "NaN", "Infinity", "-Infinity",
        "1e400", "-1", "-1e9", "9007199254740992", "1e30",
    ],
)  # fmt: skip
@pytest.mark.parametrize("claim", ["exp", "nbf", "iat"])
def test_a_time_that_is_no_number_of_seconds_is_refused(claim: str, raw: str) -> None:
    others = json.dumps({name: value for name, value in GOOD.items() if name != claim})[:-1]
    refusal(forge({"alg": "HS256"}, f'{others}, "{claim}": {raw}}}'.encode()))


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_json_is_refused_wherever_it_stands(constant: str) -> None:
    refusal(forge({"alg": "HS256"}, f'{json.dumps(GOOD)[:-1]}, "x": [{constant}]}}'.encode()))


def test_a_token_must_expire_and_in_this_age() -> None:
    assert "exp" in refusal(forge({"alg": "HS256"}, {"sub": "ana", "email": "ana@corp.com"}))
    assert "exp" in refusal(saying(exp=NOW + limits.TOKEN_SECONDS_MAX + 1))
    assert verify(saying(exp=NOW + limits.TOKEN_SECONDS_MAX)).sub == "ana"


def test_an_expired_token_says_so() -> None:
    for exp in (0, NOW - 3600, NOW - limits.TOKEN_LEEWAY_SECONDS):
        with pytest.raises(TokenExpired) as caught:
            verify(saying(exp=exp))
        assert caught.value.code == "token_expired"
    late = verify(saying(exp=NOW - limits.TOKEN_LEEWAY_SECONDS + 1))
    assert late.expires_at > NOW


@pytest.mark.parametrize("claim", ["nbf", "iat"])
def test_a_token_of_the_future_is_not_good_yet(claim: str) -> None:
    assert claim in refusal(saying(**{claim: NOW + limits.TOKEN_LEEWAY_SECONDS + 1}))
    assert verify(saying(**{claim: NOW + limits.TOKEN_LEEWAY_SECONDS})).sub == "ana"


# Who, whose and for whom


@pytest.mark.parametrize("sub", [None, "", 0, 7, True, [], ["ana"], {}, "x" * 256, "a\x00b", "\x00", "a\nb", "\ud800"])
def test_a_subject_that_names_nobody_is_refused(sub: Any) -> None:
    assert "sub" in refusal(saying(sub=sub))


def test_a_subject_must_be_there_and_may_be_long() -> None:
    assert "sub" in refusal(forge({"alg": "HS256"}, {"email": "ana@corp.com", "exp": NOW + 60}))
    assert verify(saying(sub="x" * 255)).sub == "x" * 255


@pytest.mark.parametrize("claim", ["email", "name", "domain", "jti"])
@pytest.mark.parametrize("value", [7, True, [], ["ana@corp.com"], {}, "a\x00@corp.com", "\ud800@corp.com", "x" * 256])
def test_a_claim_that_is_no_proper_text_is_refused(claim: str, value: Any) -> None:
    assert f"`{claim}`" in refusal(saying(**{claim: value}))


@pytest.mark.parametrize("iss", [None, "", "them", "US", "us/", ["us"], 7, {"us": 1}])
def test_another_issuer_is_refused(iss: Any) -> None:
    rules = replace(RULES, issuer="us")
    assert "issuer" in refusal(saying(iss=iss), rules)
    assert "issuer" in refusal(saying(), rules)
    assert verify(saying(iss="us"), rules).sub == "ana"


@pytest.mark.parametrize("aud", [None, "", "us", "them ", [], ["us"], [["them"]], [None], {"them": 1}, 7, "xthemx"])
def test_another_audience_is_refused(aud: Any) -> None:
    rules = replace(RULES, audience="them")
    assert "audience" in refusal(saying(aud=aud), rules)
    assert "audience" in refusal(saying(), rules)
    assert verify(saying(aud="them"), rules).sub == "ana"
    assert verify(saying(aud=["us", "them"]), rules).sub == "ana"


def test_without_rules_for_them_issuer_and_audience_do_not_matter() -> None:
    assert verify(saying(iss="anybody", aud=["anyone"])).sub == "ana"


@pytest.mark.parametrize(
    "claims",
    [
        {"domain": "evil.example"}, {"domain": "evil.example", "email": "ana@corp.com"}, {"domain": "xcorp.com"},
        {"domain": "sub.corp.com"}, {"domain": "corp.com."}, {"domain": " corp.com"}, {"domain": "corp.com\n"},
        {"email": "ana@evil.example"}, {"email": "corp.com"}, {"email": "ana@corp.com@evil.example"},
        {"email": "eve@evil.example@corp.com"}, {"email": "ana@"}, {"email": ""}, {"email": None},
        {"domain": "\u212aorp.com"}, {"email": "eve@\u212aorp.com"},
    ],
)  # fmt: skip
def test_other_domains_may_not_come_in(claims: dict[str, Any]) -> None:
    with pytest.raises(Forbidden) as caught:
        verify(saying(**claims))
    assert caught.value.code == "domain_not_allowed"
    assert CODES[caught.value.code] is Forbidden
    assert "\n" not in caught.value.detail


def test_the_domain_decides_and_without_one_the_email_does() -> None:
    assert verify(saying(domain="KORP.com", email="ana@elsewhere.example")).domain == "korp.com"
    assert verify(saying(email="ana@Corp.COM")).domain == "corp.com"
    with pytest.raises(Forbidden):
        verify(saying(), replace(RULES, allowed_domains=()))


def test_a_star_is_any_domain_and_none() -> None:
    rules = replace(RULES, allowed_domains=("*",))
    assert verify(saying(email="ana@Elsewhere.example"), rules).domain == "elsewhere.example"
    assert verify(saying(email=None), rules).domain == ""


# The secret's file


def test_an_address_that_is_not_verified_is_none() -> None:
    with pytest.raises(Forbidden):
        verify(saying(email_verified=False))
    assert verify(saying(email_verified=False, domain="corp.com")).email == ""
    assert verify(saying(email_verified=True)).email == "ana@corp.com"


@pytest.mark.parametrize("said", [True, "true"])
def test_an_address_is_verified_where_its_issuer_says_so_or_says_nothing(said: Any) -> None:
    assert verify(saying(email_verified=said)).email == "ana@corp.com"
    assert verify(saying()).email == "ana@corp.com"


@pytest.mark.parametrize(
    "said", [False, "false", "False", "no", "", "0", 0, 1, None, "TRUE", "True", " true", [], [True], {}, {"a": True}]
)
def test_whatever_else_stands_there_is_no_word_for_it(said: Any) -> None:
    """An untyped claim is read by its type: the text "false" is true to Python."""
    with pytest.raises(Forbidden):
        verify(saying(email_verified=said))
    assert verify(saying(email_verified=said, domain="corp.com")).email == ""


@pytest.mark.parametrize(
    "email", ["ana", "ana@", "@corp.com", "a b@corp.com", "a@b@corp.com", "ana@corp.com\n", "\u202eana@corp.com"]
)
def test_what_is_no_address_of_one_mailbox_is_none(email: str) -> None:
    assert verify(saying(email=email, domain="corp.com")).email == ""


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("Ana\nLima", "Ana Lima"), ("\u202eanA", "anA"), ("\u200b\u2060", ""), (" \t ", ""), ("\x1b[31mAna", "[31mAna"),
        ("\u0915\u094d\u200d\u0937", "\u0915\u094d\u200d\u0937"), ("  Ana ", "Ana"),
    ],
)  # fmt: skip
def test_a_name_is_one_line_that_shows(name: str, taken: str) -> None:
    assert verify(saying(name=name)).name == taken


def test_a_subject_of_spaces_names_nobody() -> None:
    assert "sub" in refusal(saying(sub="   "))


@pytest.mark.parametrize("session", [None, 7, "", "x", "c" + "0" * 23, ["c" + "0" * 24]])
def test_a_session_token_names_a_session(session: Any) -> None:
    own = b"another secret that is only good for tests"
    verifier = TokenVerifier(replace(RULES, own_key=own))
    token = jwt.encode(
        {"iss": tokens.OWN_ISSUER, "exp": NOW + 60, "sid": session},
        own,
        algorithm="HS256",
        headers={"kid": tokens.OWN_KEY_ID},
    )
    with pytest.raises(Unauthenticated, match="Not a session token"):
        verifier.verify(token, NOW)


@pytest.mark.parametrize("issuer", [None, "", "https://idp.example.com"])
def test_a_session_token_is_of_this_server(issuer: str | None) -> None:
    own = b"another secret that is only good for tests"
    verifier = TokenVerifier(replace(RULES, own_key=own))
    session_id = "c" + "0" * 24

    def of(issuer: str | None) -> str:
        claims = {"exp": NOW + 60, "sid": session_id} | ({} if issuer is None else {"iss": issuer})
        return jwt.encode(claims, own, algorithm="HS256", headers={"kid": tokens.OWN_KEY_ID})

    found = verifier.verify(of(tokens.OWN_ISSUER), NOW)
    assert (found.session_id, found.expires_at, found.token_id) == (session_id, int(NOW) + 90, "")
    with pytest.raises(Unauthenticated, match="Not a session token"):
        verifier.verify(of(issuer), NOW)


# Tokens for channels


def test_the_claims_of_a_good_token_for_a_channel() -> None:
    verifier = TokenVerifier(RULES)
    without_end = {"sub": "ana", "channel": "secret:1"}
    assert verifier.verify_channel(forge({"alg": "HS256"}, without_end), NOW) == ChannelClaims("ana", "secret:1", None)
    ends = verifier.verify_channel(saying(channel="secret:1"), NOW)
    assert ends == ChannelClaims("ana", "secret:1", int(NOW) + 60 + RULES.leeway_seconds)


@pytest.mark.parametrize(
    "claims", [{"channel": None}, {"channel": 7}, {"sub": None}, {"sub": 7}, {"sub": None, "channel": 7}]
)
def test_a_token_for_a_channel_names_a_user_and_a_channel(claims: dict[str, Any]) -> None:
    token = saying(**{"channel": "secret:1", **claims})
    with pytest.raises(Unauthenticated, match="`sub` and `channel`"):
        TokenVerifier(RULES).verify_channel(token, NOW)


def test_a_token_for_a_channel_is_judged_as_others_are() -> None:
    verifier = TokenVerifier(replace(RULES, issuer="https://idp.example.com", audience="here"))
    parties = {"iss": "https://idp.example.com", "aud": "here", "channel": "secret:1"}
    assert verifier.verify_channel(saying(**parties), NOW).sub == "ana"
    with pytest.raises(TokenExpired):
        verifier.verify_channel(saying(**parties, exp=NOW - 3600), NOW)
    without_end = {"sub": "ana", **parties, "nbf": NOW + 3600}
    bad = [
        forge({"alg": "HS256"}, without_end),
        saying(**{**parties, "iss": "other"}),
        saying(**{**parties, "aud": "other"}),
        forge({"alg": "HS256"}, {**GOOD, **parties}, lambda text: by_secret(text, b"another secret")),
    ]
    for token in bad:
        with pytest.raises(Unauthenticated):
            verifier.verify_channel(token, NOW)


def test_a_token_for_a_channel_does_not_authenticate_requests() -> None:
    assert "subscription token" in refusal(saying(channel="secret:1"))


def test_a_token_without_an_id_is_known_by_the_hash_of_what_is_signed() -> None:
    token = saying()
    signed = token.rpartition(".")[0].encode()
    assert verify(token).token_id == f"sha256:{hashlib.sha256(signed).hexdigest()}"


def test_the_domain_of_a_user_who_signs_in() -> None:
    verifier = TokenVerifier(RULES)
    assert verifier.must_be_allowed("KORP.com", "") == "korp.com"
    assert verifier.must_be_allowed("", "ana@Corp.com") == "corp.com"
    with pytest.raises(Forbidden):
        verifier.must_be_allowed("other.com", "ana@corp.com")
