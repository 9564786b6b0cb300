"""The issuer's public keys: fetched with aiohttp, kept while a fetch fails, fetched anew when a token names another."""

import asyncio
import contextlib
import ipaddress
import logging
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import jwt
import orjson
from jwt import PyJWK

from server.tokens import KeySet

logger = logging.getLogger("server.jwks")

REFRESH_SECONDS = 600.0
AT_MOST_EVERY_SECONDS = 30.0
"""Tokens with made-up key ids must not make us flood the issuer."""
TIMEOUT_SECONDS = 5.0
BYTES_AT_MOST = 1024 * 1024
RSA_BITS = 2048

ALGORITHMS = {("RSA", None): "RS256", ("EC", "P-256"): "ES256", ("OKP", "Ed25519"): "EdDSA"}
"""(kty, crv) → the one algorithm that such a key is used with."""


class JwksRefresher:
    """Implements `actors.ports.KeyRefresher`: fills a `KeySet` from a URL."""

    def __init__(self, url: str, keys: KeySet) -> None:
        """Raises `ValueError` for a URL that others could tamper with."""
        if not _is_safe(url):
            raise ValueError(f"JWT_JWKS_URL must be https (http only on loopback), got {url!r}")
        self._url = url
        self._keys = keys
        self._fetched_at: float | None = None
        self._fetching: asyncio.Task[bool] | None = None
        self._periodic: asyncio.Task[None] | None = None
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Fetch now, and from time to time."""
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
        self._session = aiohttp.ClientSession(timeout=timeout)
        await self.refresh()
        self._periodic = asyncio.get_running_loop().create_task(self._refresh_from_time_to_time())

    async def close(self) -> None:
        for task in (self._periodic, self._fetching):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        if self._session is not None:
            await self._session.close()

    async def _refresh_from_time_to_time(self) -> None:
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            await self.refresh()

    async def refresh(self) -> bool:
        """Fetch, unless that was done a moment ago; those who ask meanwhile share one fetch. Never raises."""
        if self._fetching is None:
            now = asyncio.get_running_loop().time()
            if self._fetched_at is not None and now - self._fetched_at < AT_MOST_EVERY_SECONDS:
                return False
            self._fetched_at = now
            self._fetching = asyncio.get_running_loop().create_task(self._fetch())
            self._fetching.add_done_callback(self._forget_task)
        return await asyncio.shield(self._fetching)

    def _forget_task(self, _: asyncio.Task[bool]) -> None:
        self._fetching = None

    async def _fetch(self) -> bool:
        try:
            found = usable_keys(orjson.loads(await self._read()))
        except (aiohttp.ClientError, TimeoutError, ValueError, OSError) as error:
            logger.warning(
                "the keys of %s could not be fetched, the old ones stay: %s", self._url, str(error) or "timeout"
            )
            return False
        if not found:
            logger.warning("%s has no usable signature keys; the old ones stay", self._url)
            return False
        self._keys.keys = found
        return True

    async def _read(self) -> bytes:
        assert self._session is not None
        async with self._session.get(self._url, allow_redirects=False) as response:
            if response.status != 200:
                raise ValueError(f"status {response.status}")
            body = bytearray()
            async for chunk in response.content.iter_chunked(65_536):
                body += chunk
                if len(body) > BYTES_AT_MOST:
                    raise ValueError(f"more than {BYTES_AT_MOST} bytes")
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
    if not isinstance(entry.get("kid"), str):
        return None
    public = {name: value for name, value in entry.items() if name not in ("d", "p", "q", "dp", "dq", "qi")}
    try:
        key = PyJWK(public, algorithm)
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        return None
    too_short = kind == "RSA" and getattr(key.key, "key_size", 0) < RSA_BITS
    return None if too_short else key
