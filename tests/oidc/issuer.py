"""An OpenID provider in this process, of which every answer can be made to be otherwise. It has no pages."""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from yarl import URL

from server.outbound.oidc import Begun

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
RSA = rsa.generate_private_key(65537, 2048)


class Issuer:
    """Signs in Ana."""

    def __init__(self) -> None:
        self.url = ""
        self.metadata: dict[str, Any] = {}
        """Other than usual, as are those below; None leaves one out."""
        self.claims: dict[str, Any] = {}
        self.userinfo: dict[str, Any] = {}
        self.header: dict[str, Any] = {}
        self.token: dict[str, Any] = {}
        self.key: Any = RSA
        self.algorithm = "RS256"
        self.kid = "k"
        self.jwks: Any = None
        self.answers: dict[str, Answer] = {}
        """By the last part of a path: whole answers."""
        self.asked: list[str] = []
        self.headers: Mapping[str, str] = {}
        self.form: Mapping[str, Any] = {}
        """Of the last request to the token endpoint."""
        self._nonce = ""

    def answer_to(self, begun: Begun) -> dict[str, str]:
        """What the browser of somebody who signed in comes back with."""
        sent = URL(begun.url).query
        self._nonce = sent["nonce"]
        return {"state": sent["state"], "code": "the-code"}

    def say(self, where: str, body: bytes, status: int = 200, **headers: str) -> None:
        async def answer(_: web.Request) -> web.StreamResponse:
            return web.Response(body=body, status=status, headers=headers)

        self.answers[where] = answer

    async def handle(self, request: web.Request) -> web.StreamResponse:
        name = request.path.rpartition("/")[2]
        self.asked.append(name)
        answer = self.answers.get(name) or getattr(self, f"_{name.replace('-', '_')}")
        return await answer(request)

    async def _openid_configuration(self, _: web.Request) -> web.StreamResponse:
        endpoints = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "jwks",
                     "userinfo_endpoint": "userinfo"}  # fmt: skip
        known = {name: f"{self.url}/{path}" for name, path in endpoints.items()}
        return web.json_response(merged({"issuer": self.url, **known}, self.metadata))

    async def _jwks(self, _: web.Request) -> web.StreamResponse:
        public = jwt.get_algorithm_by_name(self.algorithm).to_jwk(self.key.public_key(), as_dict=True)
        return web.json_response(self.jwks or {"keys": [{**public, "kid": self.kid}]})

    async def _token(self, request: web.Request) -> web.StreamResponse:
        self.headers, self.form = request.headers, dict(await request.post())
        known = {"id_token": self.id_token(), "access_token": "the-access-token", "token_type": "Bearer"}
        return web.json_response(merged(known, self.token))

    def id_token(self) -> str:
        now = int(time.time())
        known = {
            "iss": self.url, "aud": "app", "sub": "ana", "nonce": self._nonce, "iat": now, "exp": now + 3600,
            "email": "ana@corp.example", "email_verified": True,
        }  # fmt: skip
        header = merged({"kid": self.kid}, self.header)
        return jwt.encode(merged(known, self.claims), self.key, algorithm=self.algorithm, headers=header)

    async def _userinfo(self, request: web.Request) -> web.StreamResponse:
        assert request.headers["Authorization"] == "Bearer the-access-token"
        return web.json_response(merged({"sub": "ana", "email": "ana@home.example"}, self.userinfo))


def merged(known: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**known, **other}.items() if value is not None}
