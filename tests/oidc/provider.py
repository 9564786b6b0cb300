"""A certified OpenID provider as a process of its own, and a browser that signs in there."""

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
from yarl import URL

from tests import node

SCRIPT = Path(__file__).with_name("provider.mjs")
CALLBACK = "http://127.0.0.1:9/auth/oauth/callback"
"""Where the provider sends browsers back to. Nobody listens there: `Browser` stops in front of it."""
_FORM = re.compile(r'<form[^>]* action="([^"]+)".*?name="prompt" value="(\w+)"', re.DOTALL)


def secret(client_id: str) -> str:
    """A client's secret, of characters that have a meaning in headers and forms."""
    return f"secret of {client_id}: +&%=/"


@contextmanager
def running(log: Path, *, secrets_by: str = "client_secret_basic", callback: str = CALLBACK) -> Iterator[str]:
    """Yields its issuer, which answers; its clients bring their secrets in the way that is named."""
    with node.running(SCRIPT, callback, secrets_by, log=log) as issuer:
        yield issuer


class Browser:
    """Somebody with a cookie jar, who follows redirects, and forms as far as they know the answers."""

    def __init__(self, session: aiohttp.ClientSession, callback: str = CALLBACK) -> None:
        self._session = session
        self._callback = callback

    async def sign_in(self, url: str, login: str) -> dict[str, str]:
        """The query with which the provider sends somebody back who signs in and agrees."""
        return await self._walk(url, login)

    async def turn_back(self, url: str) -> dict[str, str]:
        """The same, of somebody who does not want to sign in after all."""
        return await self._walk(url, None)

    async def _walk(self, url: str, login: str | None) -> dict[str, str]:
        method, target, form = "GET", URL(url, encoded=True), None
        for _ in range(20):
            if str(target).startswith(self._callback):
                return dict(target.query)
            async with self._session.request(method, target, data=form, allow_redirects=False) as response:
                page = await response.text()
                location = response.headers.get("Location")
            if location is not None:
                method, target, form = "GET", target.join(URL(location, encoded=True)), None
            elif login is None:
                target = target / "abort"
            else:
                found = _FORM.search(page)
                assert found, page
                action, prompt = html.unescape(found[1]), found[2]
                method, target = "POST", target.join(URL(action))
                form = {"prompt": prompt, "login": login, "password": "any"}
        raise AssertionError("the provider sends its visitors in circles")
