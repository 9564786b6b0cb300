"""Every way to the bytes of a file, for each person: what moves bytes is no operation, and has a matrix of its own.

A new route has to be given its line here; `test_every_route_of_bytes_has_its_line` says which one is missing.
"""

import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from actors.resources.files.file import FilePreview
from actors.resources.files.processing import RecordPreview
from tests.files import local_file
from tests.server.files.uploading import PIECE, TUS, UPLOADS, metadata
from tests.server.operations.sweep.people import PEOPLE, SCOPES, Cast
from tests.server.operations.sweep.requests import World
from tests.serving import Answer, Client

TABLE = """
                              nobody  stranger    former    viewer    member     owner     admin assistant       key
content                          401       404       404       200       200       200       200       404       403
content.head                     401       404       404       200       200       200       200       404       403
content.range                    401       404       404       206       206       206       206       404       403
version                          401       404       404       200       200       200       200       404       403
preview                          401       404       404       200       200       200       200       404       403
version_preview                  401       404       404       200       200       200       200       404       403
zip                              401       404       404       200       200       200       200       404       403
zip.get                          401       404       404       200       200       200       200       404       403
signed_content                   403       404       404       200       200       200       200       404       200
signed_version                   403       404       404       200       200       200       200       404       200
signed_preview                   403       404       404       200       200       200       200       404       200
signed_version_preview           403       404       404       200       200       200       200       404       200
signed_zip                       403       404       404       200       200       200       200       404       200
form                             401       404       404       403       201       201       403       404       403
put                              401       404       404       403       403       200       200       404       403
tus                              401       404       404       403       201       201       403       404       403
tus.version                      401       404       404       403       403       201       201       404       403
tus.head                         401       404       404       404       404       200       404       404       403
tus.patch                        401       404       404       404       404       204       404       404       403
tus.instead                      401       404       404       404       404       204       404       404       403
tus.delete                       401       404       404       404       404       204       404       404       403
direct                           403       403       403       403       403       403       403       403       403
signed_direct                    403       404       404       404       404       204       404       404       204
"""
"""A signed URL has the rights of its user, as they are when it is used: `former` got theirs while a member, `nobody`
has one that was changed, and that of `key` is its owner's."""
ROUTES: Mapping[str, str] = {
    "form": "POST /api/v1/files", "content": "GET /api/v1/files/{file_id}/content",
    "version": "GET /api/v1/files/{file_id}/versions/{number}/content",
    "preview": "GET /api/v1/files/{file_id}/preview",
    "version_preview": "GET /api/v1/files/{file_id}/versions/{number}/preview",
    "zip": "POST /api/v1/files/zip", "zip.get": "GET /api/v1/files/zip", "put": "PUT /api/v1/files/{file_id}/content",
    "tus": f"POST {UPLOADS}", "tus.head": f"HEAD {UPLOADS}/{{upload_id}}",
    "tus.patch": f"PATCH {UPLOADS}/{{upload_id}}",
    "tus.instead": f"POST {UPLOADS}/{{upload_id}}", "tus.delete": f"DELETE {UPLOADS}/{{upload_id}}",
    "direct": f"PUT {UPLOADS}/{{upload_id}}/bytes",
}  # fmt: skip
"""Line → the route that it tries first."""
READING = ("content", "version", "preview", "version_preview", "zip")
CONTENT, PREVIEW = b"What is in the file", b"small"


@dataclass(frozen=True)
class Way:
    name: str
    statuses: Mapping[str, int]
    """Person → HTTP status."""

    @property
    def scope(self) -> str:
        return "read" if self.name.partition(".")[0] in READING else "write"

    @property
    def is_signed(self) -> bool:
        return self.name.startswith("signed_")

    @property
    def gives_content(self) -> bool:
        return self.name.removeprefix("signed_").partition(".")[0] in READING and self.name != "content.head"


def _ways() -> Iterator[Way]:
    people, *rows = (row.split() for row in TABLE.strip().splitlines())
    assert tuple(people) == PEOPLE
    for name, *statuses in rows:
        yield Way(name, dict(zip(people, map(int, statuses), strict=True)))


WAYS = tuple(_ways())


async def people_of(world: World, cast: Cast, way: Way) -> dict[str, Client]:
    return {
        "nobody": cast.nobody, "stranger": world.bob, "former": cast.former, "viewer": cast.viewer,
        "member": cast.member, "owner": world.alice, "admin": world.root, "assistant": cast.assistant,
        "key": await cast.key(world.alice, frozenset(SCOPES - {way.scope})),
    }  # fmt: skip


async def add_preview(world: World) -> None:
    """Of the file's first version."""
    library = world.server.services.files
    made = local_file(library.folder, PREVIEW)
    await library.blobs.put(made.path, made.sha256, made.size)
    shown = FilePreview("small", "image/webp", made.sha256, made.size, 1, 1)
    await library.write(RecordPreview(world.file_id, 1, "done", (shown,)))


@dataclass
class Attempt:
    """One person tries one way."""

    world: World
    person: str
    who: Client

    async def go(self, way: Way) -> Answer:
        if way.is_signed:
            return await self._signed(way.name.removeprefix("signed_"))
        tries: Mapping[str, Callable[[], Awaitable[Answer]]] = {
            "content": lambda: self._get("content"), "content.head": lambda: self._get("content", "HEAD"),
            "content.range": lambda: self._get("content", Range="bytes=0-3"),
            "version": lambda: self._get("versions/1/content"), "preview": lambda: self._get("preview"),
            "version_preview": lambda: self._get("versions/1/preview"),
            "zip": lambda: self.who.post("/api/v1/files/zip", ids=[self.world.file_id]),
            "zip.get": lambda: self.who.get("/api/v1/files/zip", ids=self.world.file_id),
            "form": self._form, "put": lambda: self.who.request("PUT", self._path("content"), data=CONTENT),
            "tus": lambda: self._tus(thread_id=self.world.thread_id, filename="a.txt"),
            "tus.version": lambda: self._tus(file_id=self.world.file_id),
            "tus.head": lambda: self._of_upload("HEAD"), "tus.patch": lambda: self._of_upload("PATCH", data=CONTENT),
            "tus.instead": lambda: self._of_upload("POST", data=CONTENT),
            "tus.delete": lambda: self._of_upload("DELETE"), "direct": self._direct,
        }  # fmt: skip
        return await tries[way.name]()

    def _path(self, what: str) -> str:
        return f"/api/v1/files/{self.world.file_id}/{what}"

    async def _get(self, what: str, method: str = "GET", **headers: str) -> Answer:
        return await self.who.request(method, self._path(what), headers=headers)

    async def _form(self) -> Answer:
        form = aiohttp.FormData()
        form.add_field("thread_id", self.world.thread_id)
        form.add_field("file", CONTENT, filename="a.txt")
        return await self.who.request("POST", "/api/v1/files", data=form)

    async def _tus(self, who: Client | None = None, **pairs: str) -> Answer:
        headers = {**TUS, "Upload-Length": str(len(CONTENT)), "Upload-Metadata": metadata(**pairs)}
        return await (who or self.who).request("POST", UPLOADS, headers=headers)

    async def _of_upload(self, method: str, **options: Any) -> Answer:
        """One of alice's."""
        begun = await self._tus(self.world.alice, thread_id=self.world.thread_id, filename="a.txt")
        headers = {**PIECE, "Upload-Offset": "0"} if options else dict(TUS)
        if method == "POST":
            headers["X-HTTP-Method-Override"] = "PATCH"
        return await self.who.request(method, begun.headers["Location"], headers=headers, **options)

    async def _direct(self) -> Answer:
        return await self.who.request("PUT", f"{await self._begun()}/bytes", data=CONTENT)

    async def _begun(self) -> str:
        path = self._path("direct")
        return str((await self.world.alice.post(path, size=len(CONTENT))).headers["Location"])

    async def _signed(self, what: str) -> Answer:
        """Without a token, by a URL that is good but for whose rights it has."""
        method, data, parameters = "GET", None, {}
        match what:
            case "zip":
                path, parameters = "/api/v1/files/zip", {"ids": self.world.file_id}
            case "direct":
                method, data, path = "PUT", CONTENT, f"{await self._begun()}/bytes"
            case _:
                paths = {"version": "versions/1/content", "version_preview": "versions/1/preview"}
                path = self._path(paths.get(what, what))
        keys = self.world.server.services.files.url_keys.keys
        user = self.world.alice_id if self.person in ("nobody", "key") else (await self.who.me())["id"]
        url = keys.sign(method, path, user, int(time.time()) + 60, **parameters)
        if self.person == "nobody":
            url = url[:-1] + ("A" if url[-1] != "A" else "B")
        async with self.world.server.session.request(method, self.world.server.url + url, data=data) as answer:
            return Answer(answer.status, answer.headers, await answer.read())
