"""Requests to URLs of users: to allowed addresses, without redirects; of the answer only the status is read."""

import asyncio
import contextlib
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver

from actors import limits
from actors.resources.webhooks import AttemptError
from server.http.headers.dates import seconds_of
from server.outbound.addresses import AddressRefused, AddressRules, checked_connector

if TYPE_CHECKING:
    from server.telemetry.tracing.trace import Attributes
    from server.telemetry.tracing.tracer import SpanTracer

ASKS_TO_WAIT = (429, 503)
"""Answers whose `Retry-After` is for the client (RFC 6585 4, RFC 9110 15.6.4)."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int | None
    """None where there was no answer."""
    error: AttemptError | None
    """None: a status from 200 to 299."""
    retry_after: float | None = None
    """Seconds that the receiver asked for."""


class Poster:
    """Its sessions are made with the first request."""

    def __init__(
        self, rules: AddressRules, *, resolver: AbstractResolver | None = None, tracer: "SpanTracer | None" = None
    ) -> None:  # fmt: skip
        self._rules = rules
        self._tracer = tracer
        self._resolver = resolver
        self._sessions: dict[str, aiohttp.ClientSession] = {}

    async def close(self) -> None:
        for session in self._sessions.values():
            await session.close()

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], *, seconds: float) -> Answer:
        """`seconds`: for all of it. Never raises, except when it is cancelled."""
        if self._tracer is None:
            return await self._post(url, body, headers, seconds)
        with self._tracer.outgoing("POST", _attributes(url)) as trace:
            answer = await self._post(url, body, {**headers, **trace.headers()}, seconds)
            if answer.status is not None:
                trace.answered(answer.status)
            if answer.error is not None:
                trace.failed(answer.error, is_faulty=True)
            return answer

    async def _post(self, url: str, body: bytes, headers: Mapping[str, str], seconds: float) -> Answer:
        if self._rules.fault(url) is not None:
            return Answer(None, "address_refused")
        try:
            async with asyncio.timeout(seconds):
                return await self._answer(url, body, headers)
        except Exception as error:  # noqa: BLE001 - whatever a receiver does is its failure
            return Answer(None, _error(error))

    async def _answer(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Redirects are not followed."""
        client = self._client(urlsplit(url).scheme)
        response = await client.post(url, data=body, headers=headers, allow_redirects=False)
        try:
            retry_after = _seconds(response.headers.get("Retry-After")) if response.status in ASKS_TO_WAIT else None
            await _drain(response)
            return Answer(response.status, _error_of(response.status), retry_after)
        finally:
            response.close()

    def _client(self, scheme: str) -> aiohttp.ClientSession:
        """Without TLS only the networks of the operator can be reached."""
        if scheme not in self._sessions:
            rules = self._rules if scheme == "https" else self._rules.without_internet
            self._sessions[scheme] = aiohttp.ClientSession(
                connector=checked_connector(rules, self._resolver), cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            )  # fmt: skip
        return self._sessions[scheme]


def _attributes(url: str) -> "Attributes":
    """Its host only: paths and queries of webhooks and push services are secrets."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return {"http.request.method": "POST", "server.address": parts.hostname or "", "server.port": port}


async def _drain(response: aiohttp.ClientResponse) -> None:
    """A small answer is read, so that the connection can be used again; the receiver's status holds anyway."""
    if response.content_length is not None and response.content_length <= limits.WEBHOOK_DRAINED_BYTES:
        with contextlib.suppress(aiohttp.ClientError, OSError):
            async with asyncio.timeout(limits.WEBHOOK_DRAIN_SECONDS):
                await response.read()


def _error_of(status: int) -> AttemptError | None:
    if 200 <= status < 300:
        return None
    return "redirect" if 300 <= status < 400 else "status"


def _error(error: BaseException) -> AttemptError:
    for cause in _causes(error):
        if isinstance(cause, AddressRefused):
            return "address_refused"
        if isinstance(cause, TimeoutError):
            return "timeout"
        if isinstance(cause, ssl.SSLError | aiohttp.ClientSSLError | aiohttp.ClientConnectorCertificateError):
            return "tls_failed"
        if isinstance(cause, aiohttp.ClientConnectorDNSError):
            return "name_not_found"
    return "connection_failed"


def _causes(error: BaseException | None) -> list[BaseException]:
    """An error with all that led to it, the deepest first: callers wrap that of a refused address."""
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.insert(0, error)
        if isinstance(error, BaseExceptionGroup):
            found[:0] = [inner for each in error.exceptions for inner in _causes(each)]
        error = error.__cause__ or error.__context__
    return found


def _seconds(text: str | None) -> float | None:
    """Of a `Retry-After`: a number, or a date (RFC 9110 10.2.3). None for anything else."""
    if text is None:
        return None
    if text.isascii() and text.isdecimal():
        return float(text[:10])
    try:
        return max(0.0, seconds_of(text) - time.time())
    except ValueError:
        return None
