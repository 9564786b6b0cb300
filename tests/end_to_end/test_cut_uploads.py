"""Uploads over lines that are cut at twenty places, and to a server that is killed at twenty: sent again, each ends
with the right hash, and leaves no staged file, no record, and no blob but its own."""

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path

import orjson
import pytest

from tests.builders import until
from tests.end_to_end.curl import curl_once
from tests.end_to_end.proxy import proxy_to
from tests.end_to_end.upload_ways import BUSY, FILES, SIZE, Form, Put, PutRange, Tus, Way
from tests.server.files.uploading import blobs, sha256, staged
from tests.serving import Client, ServerProcess

CUTS = 20
KILLS = 2


async def must_be_whole(process: ServerProcess, alice: Client, ids: Iterable[str], ways: Iterable[Way]) -> None:
    """These files and nothing else. The server may be the last to notice that a line is gone."""
    await until(lambda: staged(process.data_dir) == [], "that nothing is staged", 30.0)
    files = {file["id"]: file for file in (await alice.get(FILES, limit=100)).data}
    contents = {file_id: way.content for file_id, way in zip(ids, ways, strict=True)}
    assert files.keys() == contents.keys()
    for file_id, content in contents.items():
        assert (files[file_id]["status"], files[file_id]["version"]) == ("ready", 1)
        assert files[file_id]["sha256"] == sha256(content)
        assert (await alice.get(files[file_id]["url"])).raw == content
    assert blobs(process.data_dir) == sorted(map(sha256, contents.values()))


# Cut


async def cut(way: Way) -> str:
    """The next request follows at once: the server may still read what came of the one before."""
    await way.begin()
    for _ in range(CUTS):
        await way.send_until_cut()
        await way.look()
    return await way.end()


async def cut_curl(way: Way, path: Path, arguments: Callable[[str], list[str]]) -> str:
    """curl itself, run again until it has an answer; `arguments` for an address of the server."""
    await asyncio.to_thread(path.write_bytes, way.content)
    await way.begin()
    async with proxy_to(way.process.port) as proxy:
        proxy.cut_sent_after = [SIZE * number // CUTS + 300 for number in range(CUTS)]
        command = [
            "-H",
            f"Authorization: Bearer {way.alice.token}",
            *arguments(f"http://127.0.0.1:{proxy.port}{FILES}"),
        ]
        for _ in range(CUTS):
            code, _ = await curl_once(*command)
            assert code != 0
        while True:
            _, out = await curl_once(*command)
            answer = orjson.loads(out)
            if answer["success"]:
                return str(answer["data"]["id"])
            assert answer["error"]["status"] == BUSY, answer


async def curl_goes_on(way: Put, folder: Path) -> str:
    path = folder / "put.bin"
    return await cut_curl(
        way, path, lambda url: ["-T", str(path), "--continue-at", "-", f"{url}/{way.file_id}/content"]
    )


async def curl_sends_a_form(way: Form, folder: Path) -> str:
    path = folder / "form.bin"
    return await cut_curl(way, path, lambda url: ["-F", f"file=@{path}", url])


async def test_uploads_over_lines_that_are_cut_at_twenty_places(
    process: ServerProcess, alice: Client, tmp_path: Path
) -> None:
    """All ways side by side, twenty cuts each."""
    await alice.me()
    given = process, alice
    ways = [Form(*given, 1), Form(*given, 2, key="a key"), Put(*given, 3), PutRange(*given, 4), Tus(*given, 5)]
    by_curl = Put(*given, 6), Form(*given, 7)
    ids = await asyncio.gather(
        *map(cut, ways), curl_goes_on(by_curl[0], tmp_path), curl_sends_a_form(by_curl[1], tmp_path)
    )
    await must_be_whole(process, alice, ids, [*ways, *by_curl])


# Killed


@pytest.mark.timeout(600)  # three starts of a server, each of which takes its time on a busy machine
async def test_uploads_to_a_server_that_is_killed_at_twenty_places(process: ServerProcess, alice: Client) -> None:
    """Ten of each way at once, killed two times."""
    await alice.me()
    ways: list[Way] = []
    for seed in range(CUTS // KILLS):
        given = process, alice, seed
        ways += [Form(*given), Form(*given, key=f"key {seed}"), Put(*given), PutRange(*given), Tus(*given)]
    await asyncio.gather(*(way.begin() for way in ways))
    for _ in range(KILLS):
        await asyncio.gather(*(way.send_until_cut() for way in ways))
        process.kill()
        await process.ended()
        await process.start()
        await asyncio.gather(*(way.look() for way in ways))
    ids = await asyncio.gather(*(way.end() for way in ways))
    await must_be_whole(process, alice, ids, ways)
