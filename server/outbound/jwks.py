"""The issuer's public keys: fetched with aiohttp, kept while a fetch fails, fetched anew when a token names another."""

import asyncio
import contextlib
import ipaddress
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson
from jwt import PyJWK

from actors import limits
from server.auth.tokens import KeySet

logger = logging.getLogger("server.jwks")

ALGORITHMS = {("RSA", None): "RS256", ("EC", "P-256"): "ES256", ("OKP", "Ed25519"): "EdDSA"}
"""(kty, crv) → the one algorithm that such a key is used with."""


class JwksRefresher:
    """Implements `actors.ports.KeyRefresher`: fills a `KeySet` from a URL."""

    def __init__(
        self,
        url: str,
        keys: KeySet,
        *,
        session: aiohttp.ClientSession | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """A session that is given stays the giver's to close; `clock` counts seconds.

        Raises `ValueError` for a URL that others could tamper with.
        """
        if not _is_safe(url):
            raise ValueError(f"JWT_JWKS_URL must be https (http only on loopback), got {url!r}")
        self._url = url
        self._keys = keys
        self._clock = clock
        self._fetched_at: float | None = None
        self._fetching: asyncio.Task[bool] | None = None
        self._periodic: asyncio.Task[None] | None = None
        self._session = session
        self._owns_session = session is None
        self._closed = False
        self._missed: OrderedDict[str, float] = OrderedDict()
        self._left, self._left_at = limits.JWKS_BURST, clock()

    async def start(self) -> None:
        """Fetch now, and from time to time."""
        await self.refresh()
        if self._closed:
            return
        self._periodic = asyncio.get_running_loop().create_task(self._refresh_from_time_to_time())

    async def close(self) -> None:
        """End what runs; callers that wait for a fetch learn that there was none."""
        self._closed = True
        for task in (self._periodic, self._fetching):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        if self._session is not None and self._owns_session:
            await self._session.close()

    async def _refresh_from_time_to_time(self) -> None:
        while True:
            await asyncio.sleep(limits.JWKS_REFRESH_SECONDS)
            await self.refresh()

    async def refresh(self, key_id: str | None = None) -> bool:
        """Fetch, for a key id that is not known or from time to time; callers meanwhile share one fetch. Answers
        whether the keys were fetched since. Never raises."""
        if self._closed:
            return False
        if self._fetching is None:
            wait = self._turn(key_id)
            if wait is None:
                return False
            self._fetching = asyncio.get_running_loop().create_task(self._fetch_after(wait))
            self._fetching.add_done_callback(self._forget_task)
        fetching = self._fetching
        await asyncio.wait([fetching])  # one who stops waiting does not end the fetch of the others
        fetched = not fetching.cancelled() and fetching.result()
        if fetched and key_id is not None and key_id not in self._keys.keys:
            self._missed[key_id] = self._clock()
            if len(self._missed) > limits.JWKS_MISSED:
                self._missed.popitem(last=False)
        return fetched

    def _turn(self, key_id: str | None) -> float | None:
        """Seconds until the next fetch may begin; None where there is to be none."""
        now = self._clock()
        if key_id is None:
            if self._fetched_at is not None and now - self._fetched_at < limits.JWKS_PAUSE_SECONDS:
                return None
            return 0.0
        if now - self._missed.get(key_id, -limits.JWKS_MISSED_SECONDS) < limits.JWKS_MISSED_SECONDS:
            return None
        self._left = min(limits.JWKS_BURST, self._left + (now - self._left_at) * limits.JWKS_PER_SECOND) - 1
        self._left_at = now
        return max(0.0, -self._left / limits.JWKS_PER_SECOND)

    async def _fetch_after(self, seconds: float) -> bool:
        if seconds:
            await asyncio.sleep(seconds)
        self._fetched_at = self._clock()
        return await self._fetch()

    def _forget_task(self, _: asyncio.Task[bool]) -> None:
        self._fetching = None

    async def _fetch(self) -> bool:
        try:
            found = usable_keys(orjson.loads(await self._read()))
        except Exception as error:  # noqa: BLE001 - whatever the issuer answers, the server runs on with what it has
            reason = " ".join(str(error).split()) or type(error).__name__
            logger.warning("the keys of %s could not be fetched, the old ones stay: %s", self._url, reason)
            return False
        if not found:
            logger.warning("%s has no usable signature keys; the old ones stay", self._url)
            return False
        self._keys.keys = found
        return True

    async def _read(self) -> bytes:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        timeout = aiohttp.ClientTimeout(total=limits.JWKS_SECONDS)
        async with self._session.get(self._url, allow_redirects=False, timeout=timeout) as response:
            if response.status != 200:
                raise ValueError(f"status {response.status}")
            body = bytearray()
            async for chunk in response.content.iter_chunked(65_536):
                body += chunk
                if len(body) > limits.JWKS_BYTES:
                    raise ValueError(f"more than {limits.JWKS_BYTES} bytes")
            return bytes(body)


def _is_safe(url: str) -> bool:
    parts = urlsplit(url)
    if parts.scheme == "https":
        return bool(parts.hostname)
    if parts.scheme != "http" or parts.hostname is None:
        return False
    try:
        return parts.hostname == "localhost" or ipaddress.ip_address(parts.hostname).is_loopback
    except ValueError:
        return False


def usable_keys(document: Any) -> dict[str, PyJWK]:
    """Key id → key, of those that verify signatures by an algorithm that we take. Others are skipped."""
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise ValueError("expected an object with a list of `keys`")
    found: dict[str, PyJWK] = {}
    for entry in listed:
        key = _usable(entry) if isinstance(entry, dict) else None
        if key is not None:
            found[entry["kid"]] = key
    return found


def _usable(entry: dict[str, Any]) -> PyJWK | None:
    kind = entry.get("kty")
    algorithm = ALGORITHMS.get((str(kind), None if kind == "RSA" else str(entry.get("crv"))))
    if algorithm is None or entry.get("alg", algorithm) != algorithm or entry.get("use", "sig") != "sig":
        return None
    if not isinstance(entry.get("kid"), str) or not _may_verify(entry.get("key_ops")):
        return None
    public = {name: value for name, value in entry.items() if name not in ("d", "p", "q", "dp", "dq", "qi")}
    try:
        key = PyJWK(public, algorithm)
    except Exception:  # noqa: BLE001 - one odd key must not cost the others
        return None
    too_short = kind == "RSA" and getattr(key.key, "key_size", 0) < limits.RSA_BITS_LEAST
    return None if too_short else key


def _may_verify(operations: Any) -> bool:
    return operations is None or (isinstance(operations, list) and "verify" in operations)
