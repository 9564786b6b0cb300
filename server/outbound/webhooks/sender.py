"""One request to a receiver, and what came of it. Only the status of the answer is read."""

import asyncio
import contextlib
import email.utils
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson
from aiohttp.abc import AbstractResolver

from actors import limits
from actors.events import Event
from actors.resources.webhooks import TEST, Attempt, AttemptError, Outgoing
from server.api import events
from server.api.render import iso_time
from server.outbound.addresses import AddressRefused, AddressRules, checked_connector
from server.outbound.webhooks import signing

ASKS_TO_WAIT = (429, 503)
"""Answers whose `Retry-After` is for the client (RFC 6585 4, RFC 9110 15.6.4)."""


@dataclass(frozen=True, slots=True)
class Outcome:
    attempt: Attempt
    retry_after: float | None = None


class Sender:
    def __init__(self, rules: AddressRules, version: str, *, resolver: AbstractResolver | None = None) -> None:
        self._rules = rules
        self._headers = {"Content-Type": "application/json", "User-Agent": f"experience-server/{version}"}
        self._resolver = resolver
        self._sessions: dict[str, aiohttp.ClientSession] = {}

    async def close(self) -> None:
        for session in self._sessions.values():
            await session.close()

    async def send(self, outgoing: Outgoing) -> Outcome:
        """Never raises, except when it is cancelled."""
        at, began = time.time_ns() // 1_000_000, time.monotonic()
        status, error, retry_after = await self._post(outgoing, at // 1000)
        return Outcome(Attempt(at, round((time.monotonic() - began) * 1000), status, error), retry_after)

    async def _post(self, outgoing: Outgoing, at: int) -> tuple[int | None, AttemptError | None, float | None]:
        if self._rules.fault(outgoing.url) is not None:
            return None, "address_refused", None
        body = body_of(outgoing, at)
        headers = self._headers | signing.headers(outgoing.delivery_id, at, body, outgoing.secrets)
        try:
            async with asyncio.timeout(limits.WEBHOOK_SECONDS):
                return await self._answer(outgoing.url, body, headers)
        except Exception as error:  # noqa: BLE001 - whatever a receiver does is its failure
            return None, _error(error), None

    async def _answer(
        self, url: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[int | None, AttemptError | None, float | None]:
        """Redirects are not followed."""
        client = self._client(urlsplit(url).scheme)
        response = await client.post(url, data=body, headers=headers, allow_redirects=False)
        try:
            retry_after = _seconds(response.headers.get("Retry-After")) if response.status in ASKS_TO_WAIT else None
            await _drain(response)
            return response.status, _error_of(response.status), retry_after
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


async def _drain(response: aiohttp.ClientResponse) -> None:
    """A small answer is read, so that the connection can be used again; the receiver's status holds anyway."""
    if response.content_length is not None and response.content_length <= limits.WEBHOOK_DRAINED_BYTES:
        with contextlib.suppress(aiohttp.ClientError, OSError):
            async with asyncio.timeout(limits.WEBHOOK_DRAIN_SECONDS):
                await response.read()


def body_of(outgoing: Outgoing, at: int) -> bytes:
    """The event as everywhere else, as it is now."""
    if outgoing.event is None:
        assert outgoing.type == TEST
        test: dict[str, Any] = {"type": TEST, "time": iso_time(at * 1000), "data": {"webhook_id": outgoing.webhook_id}}
        return orjson.dumps(test)
    if isinstance(outgoing.event, Event):
        return events.event_json(outgoing.event)
    return events.user_event_json(outgoing.event)


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
    """An error with all that led to it, the deepest first: a refused address is wrapped by those who tried it."""
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
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
