import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from actors.blobs import BlobStore
from storage.blobs.folder import FolderStore
from tests.storage.blobs.s3_servers import S3Server, start_moto, start_rclone


@pytest.fixture(scope="session")
def moto() -> Iterator[S3Server]:
    server = start_moto()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def rclone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    folder = tmp_path_factory.mktemp("rclone")
    server = start_rclone(folder)
    yield server
    server.stop()
    shutil.rmtree(folder)


@pytest.fixture(params=["moto", "rclone"])
def s3(request: pytest.FixtureRequest) -> S3Server:
    server: S3Server = request.getfixturevalue(request.param)
    return server


@pytest.fixture
def bucket(s3: S3Server) -> str:
    name = f"bucket-{uuid4().hex[:12]}"
    s3.make_bucket(name)
    return name


@pytest.fixture(params=["folder", "moto", "rclone"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[BlobStore]:
    made = await open_one(request.param, request.getfixturevalue, tmp_path / "blobs")
    yield made
    await made.close()


async def open_one(kind: str, fixture: Callable[[str], S3Server], folder: Path) -> BlobStore:
    if kind == "folder":
        return FolderStore(folder)
    server = fixture(kind)
    name = f"bucket-{uuid4().hex[:12]}"
    server.make_bucket(name)
    return server.store(name)
