"""S3 when it refuses, is slow, breaks off, or is not there."""

import asyncio
import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from actors import limits
from actors.blobs import BlobStoreRefused, BlobStoreUnavailable
from storage.blobs.location import S3Location
from storage.blobs.s3.client import Patience
from storage.blobs.s3.signing import S3Keys, Signer
from storage.blobs.s3.store import S3Store
from tests.storage.blobs.made import read, staged, stored
from tests.storage.blobs.proxy import proxy_to
from tests.storage.blobs.s3_servers import BRISK, IMPATIENT, KEYS, REGION, S3Server, free_port
from tests.storage.blobs.signed_requests import get, put

ABSENT = "0" * 64


async def test_a_wrong_secret_is_named(rclone: S3Server, tmp_path: Path) -> None:
    rclone.make_bucket("secrets")
    store = rclone.store("secrets", keys=S3Keys(KEYS.access_key_id, "another"))
    blob = staged(tmp_path, b"x")
    with pytest.raises(BlobStoreRefused, match=r"SignatureDoesNotMatch.*AWS_SECRET_ACCESS_KEY"):
        await store.check()
    with pytest.raises(BlobStoreRefused, match=r"403.*AWS_SECRET_ACCESS_KEY"):  # to a HEAD there is no reason
        await store.put(blob.path, blob.digest, blob.size)
    with pytest.raises(BlobStoreRefused, match="SignatureDoesNotMatch"):
        await read(store, blob.digest)


async def test_an_unknown_access_key_is_named(rclone: S3Server) -> None:
    store = rclone.store("secrets", keys=S3Keys("NOBODY", KEYS.secret_access_key))
    with pytest.raises(BlobStoreRefused, match=r"InvalidAccessKeyId.*AWS_ACCESS_KEY_ID"):
        await store.check()


async def test_a_missing_bucket_is_not_a_missing_blob(s3: S3Server, tmp_path: Path) -> None:
    store = s3.store("no-such-bucket")
    blob = staged(tmp_path, b"x")
    putting = store.put(blob.path, blob.digest, blob.size)
    for asking in (store.check(), store.size(ABSENT), read(store, ABSENT), putting, _list(store)):
        with pytest.raises(BlobStoreRefused, match=r"NoSuchBucket.*create it"):
            await asking


async def _list(store: S3Store) -> list[str]:
    return [blob.digest async for blob in store.list()]


async def test_a_bucket_that_goes_away_and_comes_back(s3: S3Server, bucket: str, tmp_path: Path) -> None:
    store = s3.store(bucket)
    digest = await stored(store, tmp_path, b"before")
    await store.delete(digest)
    s3.delete_bucket(bucket)
    blob = staged(tmp_path, b"after")
    with pytest.raises(BlobStoreRefused, match="NoSuchBucket"):
        await store.put(blob.path, blob.digest, blob.size)
    s3.make_bucket(bucket)
    await store.put(blob.path, blob.digest, blob.size)
    assert await read(store, blob.digest) == b"after"


async def test_nobody_listens(tmp_path: Path) -> None:
    location = S3Location("bucket", endpoint=f"http://127.0.0.1:{free_port()}")
    store = S3Store(location, KEYS, BRISK)
    with pytest.raises(
        BlobStoreUnavailable, match=r"s3://bucket at http://127\.0\.0\.1:\d+ cannot be reached"
    ) as caught:
        await store.check()
    assert caught.value.retryable
    assert "Debug source" not in str(caught.value)


async def test_a_server_that_keeps_silent_is_given_up(s3: S3Server, bucket: str, tmp_path: Path) -> None:
    async with proxy_to(s3.url) as proxy:
        store = S3Store(s3.location(bucket, proxy.url), KEYS, IMPATIENT)
        proxy.silent = True
        blob = staged(tmp_path, b"x")
        started = time.monotonic()
        with pytest.raises(BlobStoreUnavailable, match="Retry later"):
            await store.put(blob.path, blob.digest, blob.size)
        with pytest.raises(BlobStoreUnavailable, match="Retry later"):
            await read(store, blob.digest)
        assert time.monotonic() - started < 20, "a silence of 2 s, for a few requests"
        proxy.silent = False
        await store.put(blob.path, blob.digest, blob.size)
        assert await read(store, blob.digest) == b"x"


async def test_a_download_goes_on_where_connections_were_cut(s3: S3Server, bucket: str, tmp_path: Path) -> None:
    content = os.urandom(3_000_000)
    async with proxy_to(s3.url) as proxy:
        store = s3.store(bucket, endpoint=proxy.url)
        digest = await stored(s3.store(bucket), tmp_path, content)
        proxy.cut_answers_after = [1_000_000, 700_000, 100]
        assert await read(store, digest) == content
        assert proxy.cut_answers_after == []
        proxy.cut_answers_after = [900_000]
        assert await read(store, digest, 50_000, 2_900_000) == content[50_000:2_900_000]


async def test_a_download_that_is_cut_without_end_fails(s3: S3Server, bucket: str, tmp_path: Path) -> None:
    digest = await stored(s3.store(bucket), tmp_path, os.urandom(300_000))
    async with proxy_to(s3.url) as proxy:
        proxy.cut_answers_after = [600] * 50
        with pytest.raises(BlobStoreUnavailable):
            await read(s3.store(bucket, endpoint=proxy.url), digest)


async def test_an_upload_survives_connections_that_are_cut(s3: S3Server, bucket: str, tmp_path: Path) -> None:
    content = os.urandom(12_000_000)
    async with proxy_to(s3.url) as proxy:
        proxy.cut_answers_after = [1, 1]
        digest = await stored(s3.store(bucket, endpoint=proxy.url), tmp_path, content)
    assert await read(s3.store(bucket), digest) == content


async def test_an_upload_that_fails_leaves_no_blob(s3: S3Server, bucket: str, tmp_path: Path) -> None:
    async with proxy_to(s3.url) as proxy:
        store = S3Store(s3.location(bucket, proxy.url), KEYS, IMPATIENT)
        blob = staged(tmp_path, os.urandom(12_000_000))
        proxy.stop_at = b"?partNumber=2"
        with pytest.raises(BlobStoreUnavailable):
            await store.put(blob.path, blob.digest, blob.size)
        assert proxy.silent
    assert await s3.store(bucket).size(blob.digest) is None
    assert blob.path.exists()


async def test_an_upload_whose_last_answer_is_lost_has_arrived(s3: S3Server, bucket: str, tmp_path: Path) -> None:
    content = os.urandom(6_000_000)
    async with proxy_to(s3.url) as proxy:
        proxy.swallow_answer_to = b"?uploadId="
        store = S3Store(s3.location(bucket, proxy.url), KEYS, IMPATIENT)
        digest = await stored(store, tmp_path, content)
    assert await read(s3.store(bucket), digest) == content


async def test_a_reader_that_takes_its_time_is_not_cut(s3: S3Server, bucket: str, tmp_path: Path) -> None:
    """Silence of the server is limited, not that of the reader."""
    content = os.urandom(6_000_000)
    digest = await stored(s3.store(bucket), tmp_path, content)
    store = S3Store(s3.location(bucket), KEYS, Patience(connect=5, silent=1, retries=0, retry_seconds=1))
    got = bytearray()
    async for piece in store.open(digest):
        if not got:
            await asyncio.sleep(1.5)
        got += piece
    assert got == content


async def test_a_fresh_blob_is_not_sent_again(
    rclone: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rclone.make_bucket("fresh")
    store = rclone.store("fresh")
    digest = await stored(store, tmp_path, b"x" * 1_000)
    first = [blob.modified async for blob in store.list()]
    await stored(store, tmp_path, b"x" * 1_000)
    assert [blob.modified async for blob in store.list()] == first
    monkeypatch.setattr(limits, "BLOB_FRESH_SECONDS", -1)
    await stored(store, tmp_path, b"x" * 1_000)
    assert [(blob.digest, blob.modified > first[0]) async for blob in store.list()] == [(digest, True)]


async def test_a_signed_url_answers_with_the_headers_asked_for(moto: S3Server, tmp_path: Path) -> None:
    moto.make_bucket("signed")
    store = moto.store("signed")
    digest = await stored(store, tmp_path, b"<b>bytes</b>")
    shown = "attachment; filename=\"a b.txt\"; filename*=UTF-8''%C3%BC%20b.txt"
    url = await store.signed_get(digest, 60, media_type="text/plain; charset=utf-8", disposition=shown)
    assert url is not None
    got = await get(url)
    assert (got.status, got.body) == (200, b"<b>bytes</b>")
    assert got.headers["Content-Disposition"] == shown
    assert got.headers["Content-Type"] == "text/plain; charset=utf-8"


async def test_a_signed_url_is_good_for_what_it_names_alone(rclone: S3Server, tmp_path: Path) -> None:
    rclone.make_bucket("signed")
    store = rclone.store("signed")
    digest, other = await stored(store, tmp_path, b"one"), await stored(store, tmp_path, b"other")
    url = await store.signed_get(digest, 60, media_type="text/plain", disposition='inline; filename="é (1).txt"')
    assert url is not None
    assert (await get(url)).body == b"one"
    changed = url.replace(digest, other).replace(f"{digest[:2]}/{digest[2:4]}", f"{other[:2]}/{other[2:4]}")
    for bad in (changed, url.replace("text%2Fplain", "text%2Fhtml"), url.replace("Expires=60", "Expires=600")):
        assert (await get(bad)).status == 403
    assert await put(url, b"written") == 403


async def test_a_signed_upload_takes_exactly_its_size(rclone: S3Server, tmp_path: Path) -> None:
    rclone.make_bucket("uploads")
    store = rclone.store("uploads")
    url = await store.signed_put("c1", 60, size=5)
    assert url is not None
    assert await put(url, b"123456") == 403
    assert await put(url, b"12345") == 200
    assert (await store.adopt("c1", tmp_path / "into", most=5)).size == 5


async def test_without_keys_nothing_is_signed(moto: S3Server) -> None:
    store = S3Store(moto.location("signed"), None, BRISK)
    assert await store.signed_get(ABSENT, 60, media_type="text/plain", disposition="inline") is None
    assert await store.signed_put("c1", 60, size=1) is None


async def test_objects_are_encrypted_as_the_url_says(moto: S3Server, tmp_path: Path) -> None:
    moto.make_bucket("encrypted")
    location = S3Location("encrypted", endpoint=moto.url, sse="aws:kms", kms_key="alias/ours")
    store = S3Store(location, KEYS, BRISK)
    small, large = await stored(store, tmp_path, b"x"), await stored(store, tmp_path, os.urandom(6_000_000))
    for digest in (small, large):
        url = await store.signed_get(digest, 60, media_type="text/plain", disposition="inline")
        assert url is not None
        got = await get(url)
        assert got.headers["x-amz-server-side-encryption"] == "aws:kms"


async def test_objects_are_no_pages(moto: S3Server, tmp_path: Path) -> None:
    """Of a bucket that was opened to all by mistake, too."""
    moto.make_bucket("pages")
    store = S3Store(S3Location("pages", endpoint=moto.url), KEYS, BRISK)
    digest = await stored(store, tmp_path, b"<script>alert(1)</script>")
    url = f"{moto.url}/pages/{digest[:2]}/{digest[2:4]}/{digest}"
    got = await get(Signer(KEYS, REGION).url("GET", url, now=datetime.now(UTC), seconds=60))
    assert got.status == 200
    assert got.headers["Content-Type"] == "application/octet-stream"
