"""The calls to a provider: bounded in size and time, without redirects and cookies, and none of them made twice."""

import asyncio
import base64
import contextlib
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus

import aiohttp
import orjson
from jwt import PyJWK

from actors import limits
from actors.errors import Unauthenticated, Unavailable
from server.auth.tokens import KeySet
from server.outbound.jwks import JwksRefresher
from server.outbound.oidc import metadata
from server.outbound.oidc.metadata import Metadata
from server.outbound.oidc.settings import OidcSettings

logger = logging.getLogger("server.oidc")

_ERROR_CODE = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_SENDABLE = re.compile(r"[\x21-\x7e]{1,16384}")


@dataclass(frozen=True, slots=True)
class Tokens:
    id_token: str = field(repr=False)
    access_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Published:
    """What the provider publishes, and until when we believe it."""

    metadata: Metadata
    keys: KeySet
    refresher: JwksRefresher
    until: float


class Provider:
    """Its calls raise `Unavailable` where it cannot be reached or has trouble of its own (5xx, 429), and
    `Unauthenticated` where its answer is no good. The log has the reason; it never has codes, tokens and secrets."""

    def __init__(self, settings: OidcSettings, *, monotonic: Callable[[], float]) -> None:
        self._settings = settings
        self._monotonic = monotonic
        self._published: _Published | None = None
        self._discovering: asyncio.Task[_Published] | None = None
        self._session: aiohttp.ClientSession | None = None
        self._closed = False

    async def close(self) -> None:
        """End what runs; callers that wait learn that the provider cannot be reached."""
        self._closed = True
        if self._discovering is not None:
            self._discovering.cancel()
            with contextlib.suppress(asyncio.CancelledError, Unavailable, Unauthenticated):
                await self._discovering
        if self._published is not None:
            await self._published.refresher.close()
        if self._session is not None:
            await self._session.close()

    # What it publishes

    async def metadata(self) -> Metadata:
        return (await self._discovered()).metadata

    async def key(self, kid: str) -> PyJWK:
        """One of its public keys; one that we do not know is looked for, though not all the time."""
        published = await self._discovered()
        fetched = kid not in published.keys.keys and await published.refresher.refresh(kid)
        key = published.keys.keys.get(kid)
        if key is not None:
            return key
        if fetched:
            raise Unauthenticated("The ID token's key is not among the identity provider's keys.")
        raise unreachable()

    async def _discovered(self) -> _Published:
        """Those who ask at once share a fetch, and one who stops waiting does not end it for the others."""
        if self._published is not None and self._monotonic() < self._published.until:
            return self._published
        if self._discovering is None:
            self._discovering = asyncio.get_running_loop().create_task(self._discover())
            self._discovering.add_done_callback(self._forget_task)
        discovering = self._discovering
        await asyncio.wait([discovering])
        if discovering.cancelled():
            raise unreachable()
        return discovering.result()

    def _forget_task(self, task: asyncio.Task[_Published]) -> None:
        self._discovering = None
        if not task.cancelled():
            task.exception()  # seen, also where nobody waits any more

    async def _discover(self) -> _Published:
        url = metadata.address(self._settings.issuer)
        status, document = await self._ask("GET", url)
        if status != 200:
            raise unusable(url, f"status {status}")
        try:
            found = metadata.read(document, self._settings.issuer)
        except ValueError as error:
            raise unusable(url, str(error)) from None
        keys = KeySet()
        refresher = JwksRefresher(found.jwks_uri, keys, session=self._open_session(), clock=self._monotonic)
        self._published = _Published(found, keys, refresher, self._monotonic() + limits.PROVIDER_METADATA_SECONDS)
        return self._published

    # What it does for us

    async def redeem(self, code: str, verifier: str) -> Tokens:
        """What the code is good for, which it is once (RFC 6749, 4.1.3)."""
        found = await self.metadata()
        headers, form = self._credentials(found)
        form |= {
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": verifier,
            "redirect_uri": self._settings.redirect_uri,
        }
        status, answer = await self._ask("POST", found.token_endpoint, headers=headers, data=form)
        if status != 200:
            raise refused(found.token_endpoint, answer.get("error"))
        id_token, access_token = answer.get("id_token"), answer.get("access_token")
        if not isinstance(id_token, str) or not isinstance(access_token, str):
            raise unusable(found.token_endpoint, "expected an `id_token` and an `access_token`")
        return Tokens(id_token, access_token)

    def _credentials(self, found: Metadata) -> tuple[dict[str, str], dict[str, str]]:
        """Headers and form fields that say who we are (RFC 6749, 2.3.1)."""
        client_id, secret = self._settings.client_id, self._settings.client_secret
        if not secret:
            return {}, {"client_id": client_id}
        if found.takes_secret_in_form_only:
            return {}, {"client_id": client_id, "client_secret": secret}
        pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}, {}

    async def userinfo(self, access_token: str, subject: str) -> Mapping[str, Any]:
        """More about a person (OpenID Connect Core 1.0, 5.3); empty where the provider has no such endpoint."""
        url = (await self.metadata()).userinfo_endpoint
        if url is None:
            return {}
        if not _SENDABLE.fullmatch(access_token):
            raise unusable(url, "the `access_token` is not one that a header can carry")
        status, answer = await self._ask("GET", url, headers={"Authorization": f"Bearer {access_token}"})
        if status != 200:
            raise refused(url, answer.get("error"))
        if answer.get("sub") != subject:
            raise unusable(url, "it is about another user (`sub`)")
        return answer

    # Asking

    async def _ask(self, method: str, url: str, **options: Any) -> tuple[int, dict[str, Any]]:
        """Status and JSON of an answer."""
        try:
            async with self._open_session().request(method, url, allow_redirects=False, **options) as response:
                status, body = response.status, await _read(response)
        except (aiohttp.ClientError, OSError, UnicodeError) as error:  # time-outs; names of hosts that are none
            logger.warning("%s cannot be reached: %s", url, type(error).__name__)
            raise unreachable() from None
        if status >= 500 or status == 429:
            logger.warning("%s has trouble: status %d", url, status)
            raise unreachable()
        if body is None:
            raise unusable(url, f"more than {limits.PROVIDER_BYTES} bytes")
        try:
            answer = orjson.loads(body)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise unusable(url, f"expected a JSON object, with status {status}")
        return status, answer

    def _open_session(self) -> aiohttp.ClientSession:
        if self._closed:
            raise unreachable()
        if self._session is None:
            self._session = aiohttp.ClientSession(
                cookie_jar=aiohttp.DummyCookieJar(),  # what one person's call brings is not for the next one's
                headers={"Accept": "application/json"},
                timeout=aiohttp.ClientTimeout(total=limits.PROVIDER_SECONDS),
            )
        return self._session


async def _read(response: aiohttp.ClientResponse) -> bytes | None:
    """The body; None as soon as it is too large."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(65_536):
        body += chunk
        if len(body) > limits.PROVIDER_BYTES:
            return None
    return bytes(body)


def unreachable() -> Unavailable:
    return Unavailable("The identity provider cannot be reached; retry in a moment.")


def unusable(url: str, reason: str) -> Unauthenticated:
    logger.warning("the answer of %s cannot be used: %s", url, reason)
    return Unauthenticated(f"The identity provider gave an answer that cannot be used: {reason}.")


def refused(url: str, error: Any) -> Unauthenticated:
    logger.warning("%s refused: %s", url, error_code(error))
    return Unauthenticated(f"The identity provider refused: {error_code(error)}.")


def error_code(error: Any) -> str:
    """An OAuth error code as it may be shown, from any source."""
    return error if isinstance(error, str) and _ERROR_CODE.fullmatch(error) else "no usable error code"
