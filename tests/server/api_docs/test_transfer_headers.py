"""Headers of uploads and downloads, as the server sends them, are those of the OpenAPI document."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.server.api_docs.references import Json, openapi_document, resolved
from tests.server.files.uploading import CONTENT, PIECE, TUS, append, create
from tests.serving import Answer, Client, serving

DOCUMENT = openapi_document()
OF_TRANSFERS = re.compile(
    r"Tus-|Upload-|X-File-Id|X-Storage|Content-(Location|Range|Disposition)|Accept-Ranges|ETag|Location|Retry-After"
)


def documented(path: str, method: str, status: int) -> Json:
    """Its headers by name."""
    found = DOCUMENT["paths"][path][method]["responses"]
    assert str(status) in found, f"{method} {path}: {status}"
    return {name: resolved(DOCUMENT, each) for name, each in resolved(DOCUMENT, found[str(status)])["headers"].items()}


def must_be_documented(answer: Answer, path: str, method: str) -> None:
    """A refusal is described once for all operations: it may have more."""
    known = documented(path, method, answer.status)
    sent = {name for name in answer.headers if OF_TRANSFERS.match(name) and answer.status < 400}
    assert sent <= known.keys(), f"{method} {path}: {sent - known.keys()}"
    assert {name for name, each in known.items() if each.get("required")} <= answer.headers.keys()


async def test_what_is_sent_is_documented(tmp_path: Path) -> None:
    uploads, one, content = (
        "/api/v1/files/uploads",
        "/api/v1/files/uploads/{upload_id}",
        "/api/v1/files/{file_id}/content",
    )
    async with serving(tmp_path / "data", QUOTA_USER="1G") as server:
        alice = server.client("alice")
        await alice.me()
        must_be_documented(await alice.request("OPTIONS", uploads), uploads, "options")
        created = await create(alice, len(CONTENT))
        must_be_documented(created, uploads, "post")
        path = created.headers["Location"]
        must_be_documented(await append(alice, path, 0, CONTENT[:1000]), one, "patch")
        must_be_documented(await alice.request("HEAD", path, headers=TUS), one, "head")
        must_be_documented(await append(alice, path, 7, CONTENT), one, "patch")
        by_post = {**TUS, "X-HTTP-Method-Override": "HEAD"}
        must_be_documented(await alice.request("POST", path, headers=by_post), one, "post")
        last = await append(alice, path, 1000, CONTENT[1000:])
        must_be_documented(last, one, "patch")
        must_be_documented(await alice.request("HEAD", path, headers=TUS), one, "head")
        must_be_documented(await deferred(alice), uploads, "post")
        url = f"{last.headers['Content-Location']}/content"
        for headers in ({}, {"Range": "bytes=0-9"}, {"Range": "bytes=0-9,20-29"}, {"Range": "bytes=9000000-"}):
            must_be_documented(await alice.get(url, headers), content, "get")
        part = {"Content-Range": f"bytes 0-9/{len(CONTENT)}"}
        must_be_documented(await alice.request("PUT", url, headers=part, data=CONTENT[:10]), content, "put")
        must_be_documented(await alice.request("PUT", url, data=b"whole"), content, "put")


async def deferred(alice: Client) -> Answer:
    headers: dict[str, Any] = {**PIECE, "Upload-Defer-Length": "1", "Upload-Metadata": "filename YS5iaW4="}
    return await alice.request("POST", "/api/v1/files/uploads", headers=headers, data=b"the beginning")


@pytest.mark.parametrize("media_type", ["application/json-patch+json", "application/merge-patch+json"])
def test_patches_of_artifacts_have_media_types_of_their_own(media_type: str) -> None:
    for method in ("patch", "put"):
        described = DOCUMENT["paths"]["/api/v1/artifacts/{id}"][method]["requestBody"]["content"][media_type]
        assert described["schema"]["type"] == ("array" if "json-patch" in media_type else "object")
        assert described["example"]
