"""Every blob from one store into another, verified, and again until nothing is left."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from actors import limits
from actors.blobs import BlobDamaged, BlobStore, BlobStoreUnavailable
from storage.blobs.folder import FolderStore
from storage.blobs.moving import Moved, move
from storage.blobs.s3.store import S3Store
from storage.blobs.verifying import Verified, verify, verify_all
from tests.storage.blobs.made import read, stored
from tests.storage.blobs.proxy import proxy_to
from tests.storage.blobs.s3_servers import IMPATIENT, KEYS, S3Server


@pytest.fixture
async def folder(tmp_path: Path) -> AsyncIterator[FolderStore]:
    made = FolderStore(tmp_path / "source")
    yield made
    await made.close()


async def _filled(store: BlobStore, folder: Path, count: int) -> dict[str, bytes]:
    contents = [os.urandom(1_000 + n) for n in range(count)]
    return {await stored(store, folder, content): content for content in contents}


async def test_every_blob_is_copied_and_the_source_keeps_them(
    folder: FolderStore, store: BlobStore, tmp_path: Path
) -> None:
    blobs = await _filled(folder, tmp_path, 10)
    seen: list[int] = []
    moved = await move(folder, store, staging=tmp_path / "staging", progress=lambda now: seen.append(now.copied))
    assert moved == Moved(copied=10, bytes=sum(map(len, blobs.values())))
    assert len(seen) == 10
    for digest, content in blobs.items():
        assert await read(store, digest) == content
        assert await read(folder, digest) == content
    assert list((tmp_path / "staging").iterdir()) == []


async def test_back_from_s3(store: BlobStore, tmp_path: Path) -> None:
    blobs = await _filled(store, tmp_path, 3)
    target = FolderStore(tmp_path / "target")
    await move(store, target, staging=tmp_path / "staging")
    assert [blob.digest async for blob in target.list()] == sorted(blobs)


async def test_again_only_what_is_new_is_copied(folder: FolderStore, store: BlobStore, tmp_path: Path) -> None:
    await _filled(folder, tmp_path, 3)
    await move(folder, store, staging=tmp_path / "staging")
    new = await stored(folder, tmp_path, b"new")
    assert await move(folder, store, staging=tmp_path / "staging") == Moved(copied=1, bytes=3, skipped=3)
    assert await read(store, new) == b"new"


async def test_a_damaged_blob_is_named_and_not_copied(folder: FolderStore, store: BlobStore, tmp_path: Path) -> None:
    digest = await stored(folder, tmp_path, b"content")
    good = await stored(folder, tmp_path, b"good")
    path = folder.local_path(digest)
    assert path is not None
    path.write_bytes(b"CONTENT")
    moved = await move(folder, store, staging=tmp_path / "staging")
    assert (moved.damaged, moved.copied) == ([digest], 1)
    assert [blob.digest async for blob in store.list()] == [good]
    with pytest.raises(BlobDamaged, match=digest):
        await verify(folder, digest)


async def test_a_move_that_broke_off_goes_on(
    folder: FolderStore, s3: S3Server, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "BLOB_COPIES_AT_ONCE", 2)
    blobs = await _filled(folder, tmp_path, 12)
    async with proxy_to(s3.url) as proxy:
        seen: list[int] = []

        def progress(now: Moved) -> None:
            seen.append(now.copied)
            if len(seen) == 4:
                proxy.fall_silent()

        target = S3Store(s3.location(bucket, proxy.url), KEYS, IMPATIENT)
        with pytest.raises(BlobStoreUnavailable):
            await move(folder, target, staging=tmp_path / "staging", progress=progress)
    assert list((tmp_path / "staging").iterdir()) == []
    direct = s3.store(bucket)
    there = [blob.digest async for blob in direct.list()]
    assert 4 <= len(there) < 12
    moved = await move(folder, direct, staging=tmp_path / "staging")
    assert moved.skipped == len(there)
    assert [blob.digest async for blob in direct.list()] == sorted(blobs)


async def test_every_blob_is_verified(store: BlobStore, tmp_path: Path) -> None:
    assert await verify_all(store) == Verified()
    blobs = await _filled(store, tmp_path, 3)
    seen: list[int] = []
    verified = await verify_all(store, progress=lambda now: seen.append(now.blobs))
    assert verified == Verified(blobs=3, bytes=sum(map(len, blobs.values())))
    assert seen == [1, 2, 3]


async def test_damaged_blobs_are_listed(folder: FolderStore, tmp_path: Path) -> None:
    digest, _ = await _filled(folder, tmp_path, 2)
    path = folder.local_path(digest)
    assert path is not None
    path.write_bytes(b"damaged")
    verified = await verify_all(folder)
    assert (verified.blobs, verified.damaged) == (2, [digest])
