"""The two halves of signing in: send the browser to the provider, and judge what it brings back."""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from actors.errors import Unauthenticated
from server.outbound.oidc import id_token
from server.outbound.oidc.attempt import Attempt, Seal, is_same, new_attempt
from server.outbound.oidc.person import OidcPerson, needs_userinfo, person_of
from server.outbound.oidc.provider import Provider, error_code
from server.outbound.oidc.settings import OidcSettings

_CODE = re.compile(r"[\x20-\x7e]{1,4096}")  # RFC 6749, A.11


@dataclass(frozen=True, slots=True)
class Begun:
    url: str
    """Where the browser goes."""
    sealed: str = field(repr=False)
    """For an HttpOnly cookie, to be given back to `finish`: at most 3,000 characters that need no quoting."""


class OidcClient:
    """Everything raises `Unauthenticated` for what is wrong with the browser's or the provider's answer, and
    `Unavailable` where the provider cannot be reached."""

    def __init__(
        self,
        settings: OidcSettings,
        *,
        sealing_key: bytes,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`clock` says what time it is, `monotonic` how much has passed.

        Raises `ValueError` for a sealing key that is too short.
        """
        self._settings = settings
        self._seal = Seal(sealing_key, settings.issuer, settings.client_id)
        self._clock = clock
        self._provider = Provider(settings, monotonic=monotonic)

    async def close(self) -> None:
        await self._provider.close()

    async def begin(self, return_to: str) -> Begun:
        """Whether `return_to` is a good place is the caller's to judge. Raises `TooLarge` where it is too long."""
        attempt = new_attempt(return_to, self._clock())
        endpoint = (await self._provider.metadata()).authorization_endpoint
        query = urlencode(
            {
                "response_type": "code",
                "client_id": self._settings.client_id,
                "redirect_uri": self._settings.redirect_uri,
                "scope": " ".join(self._settings.scopes),
                "state": attempt.state,
                "nonce": attempt.nonce,
                "code_challenge": attempt.challenge,
                "code_challenge_method": "S256",
            }
        )
        return Begun(f"{endpoint}{'&' if '?' in endpoint else '?'}{query}", self._seal.close(attempt))

    async def finish(self, query: Mapping[str, str], sealed: str | None) -> tuple[OidcPerson, str]:
        """Who signed in, and where they wanted to go. `query` is what the provider sent their browser back with."""
        attempt = self._seal.open(sealed, self._clock())
        code = await self._code(query, attempt)
        tokens = await self._provider.redeem(code, attempt.verifier)
        claims = id_token.claims_of(
            tokens.id_token,
            await self._provider.key(id_token.key_id(tokens.id_token)),
            issuer=self._settings.issuer,
            client_id=self._settings.client_id,
            nonce=attempt.nonce,
            now=self._clock(),
        )
        userinfo = await self._userinfo(claims, tokens.access_token) if needs_userinfo(claims) else {}
        trusts = self._settings.trusts_addresses
        return person_of(self._settings.issuer, claims, userinfo, trusts_addresses=trusts), attempt.return_to

    async def _userinfo(self, claims: Mapping[str, Any], access_token: str) -> Mapping[str, Any]:
        """A provider whose addresses are trusted need not say of them what it has said already."""
        try:
            return await self._provider.userinfo(access_token, claims["sub"])
        except Unauthenticated:
            if self._settings.trusts_addresses and claims.get("email"):
                return {}
            raise

    async def _code(self, query: Mapping[str, str], attempt: Attempt) -> str:
        """The code of a query that answers this attempt."""
        if not is_same(query.get("state"), attempt.state):
            raise Unauthenticated("This response belongs to another sign-in (`state`); start again.")
        issuer = query.get("iss")  # RFC 9207: whose answer it is, against mixing up providers
        if issuer is not None and issuer != self._settings.issuer:
            raise Unauthenticated("This response is from another identity provider (`iss`).")
        if "error" in query:
            raise Unauthenticated(f"The identity provider refused: {error_code(query['error'])}.")
        if issuer is None and (await self._provider.metadata()).names_itself_to_browsers:
            raise Unauthenticated("This response does not name its identity provider (`iss`).")
        code = query.get("code")
        if code is None or not _CODE.fullmatch(code):
            raise Unauthenticated("This response has no valid `code`.")
        return code
