"""What every transfer of bytes needs: by what right it goes on, and how much of the server its user holds already."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from aiohttp import web

from actors.auth.identity import Identity
from actors.errors import Forbidden, NotFound, Unauthenticated, XpError
from actors.identifiers import is_id
from actors.resources.api_keys import GetGoodKey
from actors.resources.files.file import NO_QUOTAS, File
from actors.resources.files.queries import GetFile
from actors.resources.files.uploads import Upload
from server.api.services import Services
from server.auth.authentication import Authentication
from server.files.downloads.signed_urls import SignedUrl
from server.files.downloads.url_keys import UrlKeyFiles
from server.files.library import Library
from server.files.uploads.receiving import Body, Turns
from server.files.uploads.staging import Staging
from server.files.uploads.upload_locks import UploadLocks
from server.files.watch import Allowed
from server.http.headers.peers import rate_limit_network

Reader = Identity | SignedUrl
"""Who asks for content: a user by their token, or a holder of a signed URL."""

ROOM_LEFT = "X-Storage-Left"
ARRIVAL: web.RequestKey[int] = web.RequestKey("files.arrival", int)
"""Which of two requests for the same upload is the newer one."""


@dataclass
class Transfers:
    services: Services
    authentication: Authentication
    library: Library
    staging: Staging
    url_keys: UrlKeyFiles
    turns: Turns = field(default_factory=Turns)

    @property
    def locks(self) -> UploadLocks:
        return self.library.locks

    @contextlib.contextmanager
    def connection(self, request: web.Request, who: Reader) -> Iterator[None]:
        """A transfer holds one of the connections that its user and its address may have. Raises `TooManyRequests`."""
        hub, address = self.services.hub, self.authentication.peer(request).at_rest().address
        user = who.user.key if isinstance(who, Identity) else who.user_id
        with hub.users.one(user), hub.addresses.one(rate_limit_network(address)):
            yield

    async def room_left(self, identity: Identity, about: Upload | File) -> dict[str, str]:
        """For the answer to an upload: bytes that fit under the narrowest quota of user, thread and server; nothing
        where none is set, or where it cannot be read: the upload is what it is all the same."""
        left = None
        if self.library.quotas != NO_QUOTAS:
            with contextlib.suppress(XpError):
                left = await self.library.left(identity, await self._thread_of(identity, about))
        return {} if left is None else {ROOM_LEFT: str(left)}

    async def _thread_of(self, identity: Identity, about: Upload | File) -> str | None:
        if isinstance(about, File):
            return about.thread_id
        return (await self.services.ask(GetFile(identity, about.file_id))).thread_id

    def body(self, request: web.Request, who: Identity, allowed: Allowed) -> Body:
        """`who`: whose rights it rests on, which must stay as they are."""

        async def both() -> None:
            await self.authentication.must_still_be(request, who)
            await allowed()

        return Body(request, both, self.turns, draining=lambda: self.services.draining)

    def signed_body(self, request: web.Request, allowed: Allowed) -> Body:
        """Of a request that a signed URL allows."""
        return Body(request, allowed, self.turns, draining=lambda: self.services.draining)

    async def identity_of(self, who: Reader) -> Identity:
        """Whose rights count, as they are now. Raises `Forbidden` for a user who is not active, or may not come in."""
        if isinstance(who, Identity):
            return who
        identity = await self.library.as_user(who.user_id)
        self.services.sign_ins.must_come_in(identity.user)
        return await self._of_key(who.api_key_id) if who.api_key_id else identity

    async def _of_key(self, api_key_id: str) -> Identity:
        """Of its user, with what the key may do. Raises `Forbidden` for one that was revoked or has expired."""
        try:
            return (await self.services.ask(GetGoodKey(api_key_id))).identity
        except Unauthenticated as refusal:
            raise Forbidden(f"{refusal.detail} What it had signed ended with it.", code="signature_invalid") from None

    async def must_still_be(self, request: web.Request, who: Reader) -> Identity:
        """While a download lasts: whose rights count. A signed URL must not have expired when it began."""
        return await self.identity_of(await self.authentication.of(request) if isinstance(who, Identity) else who)


def id_of(request: web.Request, name: str) -> str:
    """An id of the path. Raises `NotFound`."""
    found = request.match_info[name]
    if not is_id(found):
        raise NotFound("resource", request.path[:200])
    return found
