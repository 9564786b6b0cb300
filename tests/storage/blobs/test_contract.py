"""What every blob store promises, held against a folder and two S3 servers."""

import contextlib
import hashlib
import os
import time
from pathlib import Path

import pytest

from actors import limits
from actors.blobs import BlobDamaged, BlobMissing, BlobStore, BlobTooLarge
from tests.storage.blobs.made import read, staged, stored
from tests.storage.blobs.signed_requests import put

ABSENT = "0" * 64
LARGE = 2 * limits.S3_PART_BYTES + 12_345
"""More than S3 takes in one part."""


async def test_a_blob_is_read_as_it_was_stored(store: BlobStore, tmp_path: Path) -> None:
    content = os.urandom(300_000)
    digest = await stored(store, tmp_path, content)
    assert await read(store, digest) == content
    assert await store.size(digest) == len(content)


async def test_an_empty_blob(store: BlobStore, tmp_path: Path) -> None:
    digest = await stored(store, tmp_path, b"")
    assert await read(store, digest) == b""
    assert await store.size(digest) == 0


async def test_a_large_blob_comes_in_small_pieces(store: BlobStore, tmp_path: Path) -> None:
    content = os.urandom(LARGE)
    digest = await stored(store, tmp_path, content)
    hasher = hashlib.sha256()
    async for piece in store.open(digest):
        assert 0 < len(piece) <= limits.BLOB_PIECE_BYTES
        hasher.update(piece)
    assert hasher.hexdigest() == digest


@pytest.mark.parametrize(
    ("start", "end"),
    [(0, 1), (0, 0), (5, 100), (999_990, None), (999_990, 2_000_000), (500_000, 900_000), (1_000_000, None),
     (2_000_000, None), (2_000_000, 2_000_001), (0, 1_000_000)],
)  # fmt: skip
async def test_ranges(store: BlobStore, tmp_path: Path, start: int, end: int | None) -> None:
    content = bytes(range(250)) * 4_000
    digest = await stored(store, tmp_path, content)
    assert await read(store, digest, start, end) == content[start:end]


async def test_reading_may_stop_early(store: BlobStore, tmp_path: Path) -> None:
    digest = await stored(store, tmp_path, os.urandom(LARGE))
    async with contextlib.aclosing(store.open(digest)) as pieces:
        assert await anext(pieces)
    assert await store.size(digest) == LARGE


async def test_a_missing_blob(store: BlobStore) -> None:
    with pytest.raises(BlobMissing, match=ABSENT):
        await read(store, ABSENT)
    with pytest.raises(BlobMissing):
        await read(store, ABSENT, 5, 10)
    assert await store.size(ABSENT) is None
    await store.delete(ABSENT)


async def test_storing_twice_is_no_error(store: BlobStore, tmp_path: Path) -> None:
    first, again = staged(tmp_path, b"the same"), staged(tmp_path, b"the same")
    await store.put(first.path, first.digest, first.size)
    await store.put(again.path, again.digest, again.size)
    await store.put(again.path, again.digest, again.size)  # a repetition after an answer that was lost
    assert [blob.digest async for blob in store.list()] == [first.digest]


async def test_a_repetition_long_after_is_no_error(
    store: BlobStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "BLOB_FRESH_SECONDS", -1)
    digest = await stored(store, tmp_path, b"long ago")
    await store.put(tmp_path / "gone", digest, 8)
    assert await read(store, digest) == b"long ago"


async def test_a_file_that_is_gone_or_has_another_size_is_refused(store: BlobStore, tmp_path: Path) -> None:
    with pytest.raises(BlobMissing):
        await store.put(tmp_path / "nothing", ABSENT, 4)
    blob = staged(tmp_path, b"four and more")
    with pytest.raises(BlobDamaged, match="13 bytes where 4 were announced"):
        await store.put(blob.path, blob.digest, 4)
    assert await store.size(blob.digest) is None


async def test_a_deleted_blob_is_gone(store: BlobStore, tmp_path: Path) -> None:
    digest = await stored(store, tmp_path, b"for a while")
    await store.delete(digest)
    assert await store.size(digest) is None
    assert [blob async for blob in store.list()] == []


async def test_the_list_has_every_blob_with_size_and_time(store: BlobStore, tmp_path: Path) -> None:
    assert [blob async for blob in store.list()] == []
    before = time.time()
    digests = sorted([await stored(store, tmp_path, b"x" * n) for n in range(1, 6)])
    found = [blob async for blob in store.list()]
    assert [blob.digest for blob in found] == digests
    assert sorted(blob.size for blob in found) == [1, 2, 3, 4, 5]
    assert all(before - 2 <= blob.modified <= time.time() + 2 for blob in found)


@pytest.mark.parametrize("digest", ["", "ab", "../../etc/passwd", "A" * 64, "g" * 64, "0" * 63 + "/"])
async def test_a_name_that_is_no_digest_is_refused(store: BlobStore, digest: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="sha256"):
        await store.size(digest)
    with pytest.raises(ValueError, match="sha256"):
        await read(store, digest)
    with pytest.raises(ValueError, match="sha256"):
        await store.put(tmp_path, digest, 0)


@pytest.mark.parametrize("key", ["", "..", "a/b", "a.b", "k" * 129])
async def test_a_key_that_is_no_name_is_refused(store: BlobStore, key: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="key of an upload"):
        await store.adopt(key, tmp_path / "into", most=1)


async def test_a_missing_upload(store: BlobStore, tmp_path: Path) -> None:
    with pytest.raises(BlobMissing, match="upload nothing"):
        await store.adopt("nothing", tmp_path / "into", most=10)
    assert not (tmp_path / "into").exists()
    await store.delete_incoming("nothing")
    assert [upload async for upload in store.list_incoming()] == []


async def test_an_upload_is_adopted(store: BlobStore, tmp_path: Path) -> None:
    content = os.urandom(400_000)
    await _upload(store, "c123", content)
    assert [(upload.key, upload.size) async for upload in store.list_incoming()] == [("c123", len(content))]
    assert [blob async for blob in store.list()] == []
    got = await store.adopt("c123", tmp_path / "into", most=400_000)
    assert (got.digest, got.size) == (hashlib.sha256(content).hexdigest(), len(content))
    assert got.path.read_bytes() == content
    assert got.path.stat().st_mode & 0o777 == 0o600
    await store.delete_incoming("c123")
    assert [upload async for upload in store.list_incoming()] == []


async def test_an_upload_that_is_too_large_is_not_adopted(store: BlobStore, tmp_path: Path) -> None:
    await _upload(store, "c123", b"x" * 11)
    with pytest.raises(BlobTooLarge, match="at most 10 bytes"):
        await store.adopt("c123", tmp_path / "into", most=10)
    assert not (tmp_path / "into").exists()


async def _upload(store: BlobStore, key: str, content: bytes) -> None:
    """As a client with the signed URL does, or as the server does where the store has no signed URLs."""
    url = await store.signed_put(key, 60, size=len(content))
    if url is not None:
        assert await put(url, content) == 200
        return
    path = store.incoming_path(key)
    assert path is not None
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


async def test_the_check_passes_and_leaves_nothing(store: BlobStore) -> None:
    await store.check()
    assert [upload async for upload in store.list_incoming()] == []
    assert [blob async for blob in store.list()] == []
