"""Forged tokens: each would be good but for one thing."""

import json
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.server.auth.test_tokens import RSA, b64, by_rsa, by_secret, forge


@dataclass
class Bait:
    """Where a token says that its key is."""

    port: int
    visits: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/keys"


Claims = dict[str, Any]
Attack = Callable[[Claims, Bait], str]
"""A token that is none, of claims that would be good."""


def headed(**header: Any) -> Attack:
    """Signed well, by the secret."""
    return lambda claims, bait: forge({"alg": "HS256", **header}, claims)


def saying(**changed: Any) -> Attack:
    """The same, with other claims; those that are None are left out."""
    return lambda claims, bait: forge({"alg": "HS256"}, {k: v for k, v in (claims | changed).items() if v is not None})


def signed(sign: Callable[[bytes], bytes], **header: Any) -> Attack:
    return lambda claims, bait: forge(header, claims, sign)


def baited(name: str, sign: Callable[[bytes], bytes] = by_rsa, **header: Any) -> Attack:
    return lambda claims, bait: forge({"alg": "RS256", **header, name: bait.url}, claims, sign)


def resigned(change: Callable[[str], str]) -> Attack:
    """A good token with another signature."""

    def attack(claims: Claims, _: Bait) -> str:
        text, _, signature = forge({"alg": "HS256"}, claims).rpartition(".")
        return f"{text}.{change(signature)}"

    return attack


def repeated(claims: Claims, _: Bait) -> str:
    return forge({"alg": "HS256"}, (json.dumps(claims)[:-1] + ', "sub": "root"}').encode())


def of_another(claims: Claims, _: Bait) -> str:
    """The signature of one token under the claims of another."""
    signature = forge({"alg": "HS256"}, claims).rpartition(".")[2]
    return forge({"alg": "HS256"}, claims | {"sub": "root", "role": "ADMIN"}).rpartition(".")[0] + f".{signature}"


def compressed(claims: Claims, _: Bait) -> str:
    return forge({"alg": "HS256", "zip": "DEF"}, zlib.compress(json.dumps(claims).encode())[2:-4])


PEM = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
DER = RSA.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
OWN = jwt.get_algorithm_by_name("RS256").to_jwk(RSA.public_key(), as_dict=True)
CERTIFICATE = [b64(DER)]
A_YEAR = 365 * 24 * 3600

ATTACKS: Mapping[str, Attack] = {
    **{f"alg {alg!r}": signed(lambda _: b"x", alg=alg) for alg in ("none", "None", "nOnE", "", None, ["HS256"])},
    "none, and signed by the secret": signed(by_secret, alg="none"),
    "no algorithm": signed(by_secret, typ="JWT"),
    "a public key as the secret": signed(lambda text: by_secret(text, PEM), alg="HS256", kid="rsa"),
    "a public key in DER as the secret": signed(lambda text: by_secret(text, DER), alg="HS256", kid="rsa"),
    "RS256 by the secret": signed(by_secret, alg="RS256", kid="rsa"),
    "HS256 by a private key": signed(by_rsa, alg="HS256", kid="rsa"),
    "another kind of key": signed(by_rsa, alg="RS256", kid="ec"),
    "a weaker hash": signed(by_rsa, alg="RS1", kid="rsa"),
    "another padding": signed(by_rsa, alg="PS256", kid="rsa"),
    "a shorter HMAC": signed(by_secret, alg="HS1"),
    "a signature of zeros": signed(lambda _: bytes(64), alg="ES256", kid="ec"),
    "a key in jwk": signed(by_rsa, alg="RS256", kid="mine", jwk=OWN),
    "the issuer's own key in jwk": signed(by_rsa, alg="RS256", kid="rsa", jwk=OWN),
    "a key in x5c": signed(by_rsa, alg="RS256", kid="rsa", x5c=CERTIFICATE),
    "a key at jku": baited("jku"),
    "a key at jku beside a good one": baited("jku", kid="rsa"),
    "a key at x5u": baited("x5u", kid="rsa"),
    "a key at an address in kid": baited("kid"),
    "a key at jku, and the secret": baited("jku", by_secret, alg="HS256"),
    "kid is a path": signed(lambda text: by_secret(text, b""), alg="HS256", kid="../../../../../../dev/null"),
    "kid is a path to nothing": signed(by_rsa, alg="RS256", kid="../../../../../../dev/null"),
    "kid is SQL": signed(lambda text: by_secret(text, b"1"), alg="HS256", kid="x'/**/UNION/**/SELECT/**/'1'--"),
    "kid is SQL of an issuer": signed(by_rsa, alg="RS256", kid="x'OR'1'='1"),
    "kid is a command": signed(by_rsa, alg="RS256", kid="|id"),
    "kid is an object": headed(kid={"$ne": None}),
    "kid of our own sessions": headed(kid="self"),
    "no kid": signed(by_rsa, alg="RS256"),
    "crit": headed(crit=["exp"]),
    "b64": headed(b64=False, crit=["b64"]),
    "b64 without crit": headed(b64=False),
    "zip": compressed,
    "another type": headed(typ="JWE"),
    "a type of another use": headed(typ="dpop+jwt"),
    "a token within a token": lambda claims, bait: forge(
        {"alg": "HS256", "cty": "JWT"}, forge({"alg": "HS256"}, claims).encode()
    ),
    "five parts": lambda claims, bait: forge({"alg": "dir", "enc": "A256GCM"}, claims) + ".AAAA.AAAA",
    "no signature": resigned(lambda _: ""),
    "a cut signature": resigned(lambda signature: signature[:-1]),
    "half a signature": resigned(lambda signature: signature[: len(signature) // 2]),
    "a signature twice": resigned(lambda signature: signature * 2),
    "the signature of another token": of_another,
    "a repeated claim": repeated,
    "a repeated name in the header": lambda claims, bait: forge(b'{"alg": "none", "alg": "HS256"}', claims),
    "exp is text": saying(exp=str(int(time.time()) + 600)),
    "exp is true": saying(exp=True),
    "exp is an object": saying(exp={"$gt": 0}),
    "exp is beyond all numbers": saying(exp=2**70),
    "exp is in a thousand years": saying(exp=int(time.time()) + 1000 * A_YEAR),
    "exp is not there": saying(exp=None),
    "not yet, and for ever": saying(exp=None, nbf=int(time.time()) + A_YEAR),
    "not yet": saying(nbf=int(time.time()) + A_YEAR),
    "made in the future": saying(iat=int(time.time()) + A_YEAR),
    "another issuer": saying(iss="https://evil.example"),
    "no issuer": saying(iss=None),
    "another audience": saying(aud="others"),
    "an audience like ours": saying(aud="themselves"),
    "no audience": saying(aud=None),
    "a subject that is none": saying(sub=["alice"]),
    "large": lambda claims, bait: forge({"alg": "HS256"}, claims | {"x": "x" * 5_500}, lambda _: b"x" * 32),
    "deep": lambda claims, bait: forge({"alg": "HS256"}, b'{"a":' + b"[" * 2_000 + b"]" * 2_000 + b"}"),
}
