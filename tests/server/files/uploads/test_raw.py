"""A file's bytes as the body of a PUT."""

import asyncio
import base64
import hashlib
from pathlib import Path
from typing import Any

import pytest

from tests.builders import until
from tests.server.files.uploading import CONTENT, blobs, sha256, staged, upload
from tests.server.quiet import nothing_breaks
from tests.serving import Client

__all__ = ["nothing_breaks"]


async def put(client: Client, file: Any, content: Any, **headers: str) -> Any:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return await client.request("PUT", f"/api/v1/files/{file['id']}/content", data=content, headers=sent)


@pytest.fixture
async def pending(alice: Client) -> Any:
    return (await alice.post("/api/v1/files", name="a.bin")).data


async def test_a_record_gets_its_bytes(alice: Client, pending: Any, tmp_path: Path) -> None:
    answer = await put(alice, pending, CONTENT)
    assert answer.status == 200, answer.raw
    assert (answer.data["status"], answer.data["version"], answer.data["sha256"]) == ("ready", 1, sha256(CONTENT))
    assert (await alice.get(answer.data["url"])).raw == CONTENT
    assert staged(tmp_path / "data") == []


async def test_bytes_of_unknown_length_are_taken_too(alice: Client, pending: Any) -> None:
    async def chunks():  # type: ignore[no-untyped-def]
        for start in range(0, len(CONTENT), 100_000):
            yield CONTENT[start : start + 100_000]

    assert (await put(alice, pending, chunks())).data["sha256"] == sha256(CONTENT)


async def test_an_upload_that_broke_off_goes_on(alice: Client, pending: Any, tmp_path: Path) -> None:
    whole = len(CONTENT)

    async def broken():  # type: ignore[no-untyped-def]
        yield CONTENT[:300_000]
        await asyncio.Event().wait()

    sent = {"Content_Range": f"bytes 0-{whole - 1}/{whole}"}
    sending = asyncio.ensure_future(put(alice, pending, broken(), **sent))
    folder = tmp_path / "data" / "uploads"
    await until(lambda: any(path.stat().st_size == 300_000 for path in folder.iterdir()))
    sending.cancel()
    wrong = await put(alice, pending, CONTENT[100:], Content_Range=f"bytes 100-{whole - 1}/{whole}")
    assert (wrong.status, wrong.headers["Upload-Offset"]) == (409, "300000")
    rest = await put(alice, pending, CONTENT[300_000:], Content_Range=f"bytes 300000-{whole - 1}/{whole}")
    assert rest.data["sha256"] == sha256(CONTENT)
    assert staged(tmp_path / "data") == []


async def test_whole_again_begins_anew(alice: Client, pending: Any, tmp_path: Path) -> None:
    await put(alice, pending, CONTENT[:100], Content_Range=f"bytes 0-99/{len(CONTENT)}")
    assert len(staged(tmp_path / "data")) == 1
    assert (await put(alice, pending, CONTENT)).data["sha256"] == sha256(CONTENT)
    assert staged(tmp_path / "data") == []


async def test_of_requests_that_come_together_the_last_one_writes(alice: Client, pending: Any, tmp_path: Path) -> None:
    """And nothing is left of the others."""
    contents = [CONTENT + bytes([number]) for number in range(6)]
    answers = await asyncio.gather(*(put(alice, pending, content) for content in contents))
    assert {answer.status for answer in answers} <= {200, 423}
    assert any(answer.status == 200 for answer in answers)
    assert staged(tmp_path / "data") == []
    stored = [answer.data["sha256"] for answer in answers if answer.status == 200]
    assert blobs(tmp_path / "data") == sorted(stored)


async def test_one_that_hangs_makes_way_for_the_next(alice: Client, pending: Any, tmp_path: Path) -> None:
    async def hanging():  # type: ignore[no-untyped-def]
        yield CONTENT[:100_000]
        await asyncio.Event().wait()

    first = asyncio.ensure_future(put(alice, pending, hanging()))
    await until(lambda: len(staged(tmp_path / "data")) == 1)
    assert (await put(alice, pending, CONTENT)).data["sha256"] == sha256(CONTENT)
    refused = await first
    assert (refused.status, refused.error["code"]) == (423, "upload_busy")
    assert int(refused.headers["Retry-After"]) > 0
    assert staged(tmp_path / "data") == []


async def test_pieces_by_content_range_are_put_together(alice: Client, pending: Any) -> None:
    whole = len(CONTENT)
    first = await put(alice, pending, CONTENT[:400_000], Content_Range=f"bytes 0-399999/{whole}")
    assert (first.status, first.headers["Upload-Offset"]) == (202, "400000")
    second = await put(alice, pending, CONTENT[400_000:], Content_Range=f"bytes 400000-{whole - 1}/{whole}")
    assert second.data["sha256"] == sha256(CONTENT)


@pytest.mark.parametrize("header", ["Content_Digest", "Digest", "Repr_Digest"])
async def test_a_digest_is_held_against_what_came(alice: Client, pending: Any, tmp_path: Path, header: str) -> None:
    value = base64.b64encode(hashlib.sha256(CONTENT).digest()).decode()
    value = f"sha-256={value}" if header == "Digest" else f"sha-256=:{value}:"
    wrong = await put(alice, pending, CONTENT[:-1], **{header: value})
    assert (wrong.status, list(wrong.error["errors"])) == (400, ["Content-Digest"])
    assert staged(tmp_path / "data") == blobs(tmp_path / "data") == []
    assert (await put(alice, pending, CONTENT, **{header: value})).status == 200


async def test_a_new_version_wants_the_record_that_was_read(alice: Client) -> None:
    file = await upload(alice, b"one")
    assert (await put(alice, file, b"two", If_Match='"99"')).status == 412
    answer = await put(alice, file, b"two", If_Match=f'"{file["revision"]}"')
    assert (answer.status, answer.data["version"]) == (200, 2)


@pytest.mark.parametrize("span", ["bytes 0-9/5", "bytes */10", "0-4/5", "bytes 0-4/*"])
async def test_a_range_that_is_none_is_refused(alice: Client, pending: Any, span: str) -> None:
    assert (await put(alice, pending, b"01234", Content_Range=span)).status == 400


async def test_what_is_too_large_is_refused_before_it_comes(alice: Client, pending: Any) -> None:
    headers = {"Content-Length": str(2**40), "Expect": "100-continue"}
    answer = await alice.request("PUT", f"/api/v1/files/{pending['id']}/content", data=b"x", headers=headers)
    assert answer.status == 413


async def test_another_members_file_is_not_written(alice: Client, bob: Client) -> None:
    thread = await alice.thread(members=[{"user_id": (await bob.me())["id"]}])
    file = await upload(alice, b"one", thread_id=thread["id"])
    assert (await put(bob, file, b"two")).status == 403
    assert (await put(bob, await upload(alice, b"own"), b"two")).status == 404


async def test_of_two_who_replace_the_same_version_one_is_refused(alice: Client, bob: Client, tmp_path: Path) -> None:
    """Also where the second one begins before the first one's bytes are there."""
    thread = await alice.thread(members=[{"user_id": (await bob.me())["id"], "role": "OWNER"}])
    file = await upload(alice, b"one", thread_id=thread["id"])
    goes_on = asyncio.Event()

    async def slowly():  # type: ignore[no-untyped-def]
        yield b"from "
        await goes_on.wait()
        yield b"Alice"

    slow = asyncio.ensure_future(put(alice, file, slowly(), If_Match=f'"{file["revision"]}"'))
    await until(lambda: staged(tmp_path / "data") != [])
    assert (await put(bob, file, b"from Bob", If_Match=f'"{file["revision"]}"')).status == 200
    goes_on.set()
    late = await slow
    assert (late.status, late.error["code"]) == (412, "stale_version")
    assert (await alice.get(file["url"])).raw == b"from Bob"
    assert staged(tmp_path / "data") == []


async def test_a_part_of_another_length_is_refused_before_it_comes(alice: Client, pending: Any, tmp_path: Path) -> None:
    """It is a part of something else: what is there is kept for the one that it belongs to."""
    assert (await put(alice, pending, b"01234", Content_Range="bytes 0-4/10")).status == 202
    for span in ("bytes 5-9/20", "bytes 5-7/8"):
        wrong = await put(alice, pending, bytes(5 if "20" in span else 3), Content_Range=span)
        assert (wrong.status, wrong.error["code"]) == (409, "wrong_length")
        assert "10 bytes" in wrong.error["detail"]
    done = await put(alice, pending, b"56789", Content_Range="bytes 5-9/10")
    assert done.data["sha256"] == sha256(b"0123456789")


async def test_parts_that_do_not_make_the_whole_are_refused(alice: Client, pending: Any, tmp_path: Path) -> None:
    whole = "bytes 0-9/10"
    wrong = await put(alice, pending, b"0123456789", Content_Range=whole, Repr_Digest=_digest(b"9876543210"))
    assert (wrong.status, list(wrong.error["errors"])) == (400, ["Repr-Digest"])
    assert blobs(tmp_path / "data") == []


async def test_each_part_has_a_digest_of_its_own(alice: Client, pending: Any) -> None:
    """RFC 9530: `Content-Digest` is of what this request brings, `Repr-Digest` of the whole."""
    whole = len(CONTENT)
    first, second = CONTENT[:400_000], CONTENT[400_000:]
    begins, ends = f"bytes 0-399999/{whole}", f"bytes 400000-{whole - 1}/{whole}"
    damaged = await put(alice, pending, first, Content_Range=begins, Content_Digest=_digest(second))
    assert damaged.status == 400
    assert (await put(alice, pending, first, Content_Range=begins, Content_Digest=_digest(first))).status == 202
    done = await put(
        alice, pending, second, Content_Range=ends, Content_Digest=_digest(second), Repr_Digest=_digest(CONTENT)
    )
    assert done.data["sha256"] == sha256(CONTENT)


def _digest(content: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(content).digest()).decode()}:"
