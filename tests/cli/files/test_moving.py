"""`xp files`."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.blobs.folder import FolderStore
from tests.cli.conftest import Xp
from tests.serving import free_port
from tests.storage.blobs.made import stored
from tests.storage.blobs.s3_servers import KEYS, S3Server, start_moto

SIGNED = {"AWS_ACCESS_KEY_ID": KEYS.access_key_id, "AWS_SECRET_ACCESS_KEY": KEYS.secret_access_key}


@pytest.fixture(scope="module")
def moto() -> Iterator[S3Server]:
    server = start_moto()
    yield server
    server.stop()


@pytest.fixture
def digests(xp: Xp, tmp_path: Path) -> list[str]:
    """Of blobs in the default folder."""
    return asyncio.run(_fill(xp.folder / "blobs", tmp_path))


async def _fill(folder: Path, staging: Path) -> list[str]:
    store = FolderStore(folder)
    digests = [await stored(store, staging, bytes([n]) * 1_000) for n in range(5)]
    await store.close()
    return sorted(digests)


def _blobs(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if len(path.name) == 64)


def test_into_another_folder(xp: Xp, digests: list[str], tmp_path: Path) -> None:
    target = tmp_path / "target"
    ran = xp("files", "move", target)
    assert ran.code == 0
    assert "Copied 5 blobs (4.9 KiB); 0 were there already." in ran.out
    assert f"set BLOB_URL for {target}" in ran.out
    assert _blobs(target) == digests
    assert _blobs(xp.folder) == digests
    again = xp("files", "move", target, "--json").json
    assert again == {"copied": 0, "bytes": 0, "skipped": 5, "damaged": []}


def test_into_s3_and_back(xp: Xp, digests: list[str], tmp_path: Path, moto: S3Server) -> None:
    moto.make_bucket("moved")
    url = f"s3://moved/prefix?endpoint={moto.url}"
    assert xp("files", "move", url, "--json", **SIGNED).json["copied"] == 5
    assert xp("files", "verify", "--json", BLOB_URL=url, **SIGNED).json == {"blobs": 5, "bytes": 5_000, "damaged": []}
    target = tmp_path / "back"
    assert xp("files", "move", target, "--blob-url", url, "--no-read-back", "--json", **SIGNED).json["copied"] == 5
    assert _blobs(target) == digests


def test_damaged_blobs(xp: Xp, digests: list[str], tmp_path: Path) -> None:
    damaged = digests[2]
    (xp.folder / "blobs" / damaged[:2] / damaged[2:4] / damaged).write_bytes(b"other")
    ran = xp("files", "verify")
    assert ran.code == 1
    assert "Read 5 blobs" in ran.out
    assert damaged in ran.err
    ran = xp("files", "move", tmp_path / "target")
    assert ran.code == 1
    assert damaged in ran.err
    assert _blobs(tmp_path / "target") == [digest for digest in digests if digest != damaged]


def test_nothing_to_do(xp: Xp, tmp_path: Path) -> None:
    (xp.folder / "blobs").mkdir(parents=True)
    assert "Read 0 blobs (0 B); 0 damaged." in xp("files", "verify").out
    assert xp("files", "move", tmp_path / "target", "--json").json["copied"] == 0


def test_a_mistyped_folder_is_no_empty_store(xp: Xp, tmp_path: Path) -> None:
    elsewhere = tmp_path / "mistyped"
    for words in (("verify",), ("move", tmp_path / "target")):
        said = xp("files", *words, DATA_DIR=str(elsewhere)).sentence
        assert said.startswith(f"{elsewhere / 'blobs'}: there is no such folder"), said
    assert not elsewhere.exists()
    assert not (tmp_path / "target").exists()
    assert "there is no such folder" in xp("files", "verify", "--blob-url", tmp_path / "backup.files").sentence


def test_what_is_refused(xp: Xp, digests: list[str], tmp_path: Path) -> None:
    assert "expected another store" in xp("files", "move", xp.folder / "blobs").sentence
    ran = xp("files", "move", "gs://bucket")
    assert ran.code == 2
    assert "expected a folder, or s3://" in ran.err
    (tmp_path / "file").touch()
    assert "expected a folder that this user may write" in xp("files", "move", tmp_path / "file").sentence
    url = f"s3://bucket?endpoint=http://127.0.0.1:{free_port()}"
    assert "cannot be reached" in xp("files", "verify", BLOB_URL=url, **SIGNED).sentence
