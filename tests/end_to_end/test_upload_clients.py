"""Uploads by real clients, also over lines that are cut: each ends with the right hash, and leaves no staged file, and
no blob but its own. Cuts and kills at chosen places: `test_cut_uploads`."""

import asyncio
import os
import random
import subprocess
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import orjson
import pytest
from tusclient.client import TusClient

from tests import node
from tests.end_to_end.curl import curl
from tests.end_to_end.proxy import Proxy
from tests.server.files.uploading import UPLOADS, blobs, sha256, staged
from tests.serving import Client, ServerProcess

SIZE = 8_000_000
SCRIPT = Path(__file__).with_name("tus_clients.mjs")


WHOLE = os.urandom(SIZE)


@pytest.fixture
def content(tmp_path: Path) -> Path:
    path = tmp_path / "naïve.txt"
    path.write_bytes(WHOLE)
    return path


@pytest.fixture
async def threads() -> AsyncIterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


async def must_be_whole(alice: Client, process: ServerProcess, file_id: str) -> None:
    file = (await alice.get(f"/api/v1/files/{file_id}")).data
    assert (file["status"], file["sha256"], file["size"]) == ("ready", sha256(WHOLE), SIZE)
    assert (await alice.get(file["url"])).raw == WHOLE
    assert staged(process.data_dir) == []
    assert blobs(process.data_dir) == [file["sha256"]]


def python_client(url: str, alice: Client, content: Path) -> str:
    """tuspy; answers the address of the upload."""
    tus = TusClient(url + UPLOADS, headers={"Authorization": f"Bearer {alice.token}"})
    with content.open("rb") as stream:
        upload = tus.uploader(
            file_stream=stream, chunk_size=1_000_000, metadata={"filename": content.name}, retries=60, retry_delay=0.15,
            upload_checksum=True,
        )  # fmt: skip
        upload.upload()
    return str(upload.url)


async def test_tuspy(process: ServerProcess, alice: Client, content: Path, threads: ThreadPoolExecutor) -> None:
    await alice.me()
    loop = asyncio.get_running_loop()
    url = await loop.run_in_executor(threads, python_client, process.url, alice, content)
    answer = await alice.request("HEAD", url.removeprefix(process.url), headers={"Tus-Resumable": "1.0.0"})
    await must_be_whole(alice, process, answer.headers["X-File-Id"])


async def run_node(client: str, url: str, alice: Client, content: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        node.NODE, SCRIPT, client, url + UPLOADS, alice.token, str(content),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "NODE_PATH": str(node.MODULES)},
    )  # fmt: skip


@pytest.mark.parametrize("client", ["tus-js-client", "uppy"])
async def test_javascript_clients_over_a_line_that_is_cut(
    process: ServerProcess, alice: Client, proxy: Proxy, content: Path, client: str
) -> None:
    await alice.me()
    running = await run_node(client, f"http://127.0.0.1:{proxy.port}", alice, content)
    cutting = asyncio.ensure_future(cut_at_random(proxy, running, random.Random(client)))
    out, errors = await asyncio.wait_for(running.communicate(), 60)
    cutting.cancel()
    assert running.returncode == 0, errors.decode()
    last = orjson.loads(out)
    assert last["file"], last
    await must_be_whole(alice, process, last["file"])


async def cut_at_random(proxy: Proxy, running: asyncio.subprocess.Process, chance: random.Random) -> None:
    for _ in range(5):
        await asyncio.sleep(chance.uniform(0.1, 0.4))
        proxy.sever()


# curl


async def test_curl_uploads_goes_on_and_downloads_in_pieces(
    process: ServerProcess, alice: Client, content: Path, tmp_path: Path
) -> None:
    file = (await alice.post("/api/v1/files", name="a.bin")).data
    url, token = f"{process.url}/api/v1/files/{file['id']}/content", f"Authorization: Bearer {alice.token}"
    whole = WHOLE
    span = {"Content-Range": f"bytes 0-2999999/{SIZE}"}
    path = f"/api/v1/files/{file['id']}/content"
    assert (await alice.request("PUT", path, headers=span, data=_stream(whole[:3_000_000]))).status == 202
    answer = orjson.loads(await curl("-H", token, "-T", str(content), "--continue-at", "3000000", url))
    assert answer["data"]["sha256"] == sha256(WHOLE)
    answer = orjson.loads(await curl("-H", token, "-T", str(content), "--continue-at", "-", url))
    assert answer["data"]["sha256"] == sha256(WHOLE)
    (tmp_path / "part").write_bytes(whole[:1_234_567])
    await curl("-H", token, "-C", "-", "-o", str(tmp_path / "part"), url)
    assert (tmp_path / "part").read_bytes() == whole
    await curl("-H", token, "-r", "10-19", "-o", str(tmp_path / "range"), url)
    assert (tmp_path / "range").read_bytes() == whole[10:20]
    form = orjson.loads(await curl("-H", token, "-F", f"file=@{content}", f"{process.url}/api/v1/files"))
    await must_be_whole(alice, process, form["data"]["id"])


async def _stream(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 65_536):
        yield content[start : start + 65_536]
