"""Without the extra `collab`: a sentence, and no traceback."""

import sys
from typing import Any

import aiohttp
import pytest

from tests.serving import Client, Server


async def test_one_sentence_says_what_is_missing(
    server: Server, alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "server.collab.replica", raising=False)
    monkeypatch.setitem(sys.modules, "pycrdt", None)  # as if it were not installed
    thread = await alice.thread()
    content: Any = {"type": "REPORT", "title": "Sales", "content": "Text."}
    made = (await alice.post(f"/api/v1/threads/{thread['id']}/artifacts", **content)).data
    path = f"/api/v1/artifacts/{made['id']}/edit"
    headers = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    headers["Sec-WebSocket-Key"] = "dGhlIHNhbXBsZSBub25jZQ=="
    refused = await alice.request("GET", path, headers=headers)
    assert (refused.status, refused.error["code"]) == (503, "collab_missing")
    assert refused.error["detail"] == (
        "Co-editing needs the extra `collab` on the server: `pip install 'experience-server[collab]'`."
    )
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await server.session.ws_connect(f"{server.url}{path}?token={alice.token}")
    assert (await alice.get(f"/api/v1/artifacts/{made['id']}")).status == 200, "all else works"
