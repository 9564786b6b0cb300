"""The folder of blobs: private, durable, and whole whatever happens to its writer."""

import asyncio
import contextlib
import errno
import hashlib
import os
import random
import select
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.blobs import BlobStoreFull, BlobStoreRefused, BlobStoreUnavailable
from storage.blobs.folder import FolderStore
from tests.builders import until
from tests.storage.blobs.made import read, staged, stored

DISKS = ("/dev/shm", "/var/tmp", "/tmp")
ROOT = Path(__file__).parents[3]


@pytest.fixture
def other_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder of another file system than that of `tmp_path`."""
    others = [disk for disk in DISKS if os.path.isdir(disk) and os.stat(disk).st_dev != tmp_path.stat().st_dev]
    if not others:
        pytest.skip(f"none of {', '.join(DISKS)} is another file system")
    with tempfile.TemporaryDirectory(dir=others[0]) as folder:
        yield Path(folder)


async def test_blobs_are_private_and_fanned_out(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        store = FolderStore(tmp_path / "blobs")
        digest = await stored(store, tmp_path, b"private")
    finally:
        os.umask(before)
    path = store.root / digest[:2] / digest[2:4] / digest
    assert store.local_path(digest) == path
    assert path.read_bytes() == b"private"
    assert path.stat().st_mode & 0o777 == 0o600
    for folder in (path.parent, path.parent.parent, store.root):
        assert folder.stat().st_mode & 0o777 == 0o700


async def test_a_blob_has_its_name_only_once_it_is_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """File, then name, then folder; and none of it on the event loop."""
    done: list[tuple[str, str]] = []
    real_fsync, real_replace = os.fsync, os.replace

    def fsync(descriptor: int) -> None:
        assert threading.current_thread() is not threading.main_thread()
        done.append(("fsync", Path(os.readlink(f"/proc/self/fd/{descriptor}")).name))
        real_fsync(descriptor)

    def replace(source: Path, target: Path) -> None:
        done.append(("rename", target.name))
        real_replace(source, target)

    store = FolderStore(tmp_path / "blobs")
    blob = staged(tmp_path, b"durable")
    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    await store.put(blob.path, blob.digest, blob.size)
    first, second = blob.digest[:2], blob.digest[2:4]
    assert done == [
        ("fsync", tmp_path.name), ("fsync", "blobs"), ("fsync", first),  # new folders
        ("fsync", blob.path.name), ("rename", blob.digest), ("fsync", second),
    ]  # fmt: skip


async def test_a_file_from_another_disk(tmp_path: Path, other_disk: Path) -> None:
    store = FolderStore(tmp_path / "blobs")
    blob = staged(other_disk, os.urandom(700_000))
    await store.put(blob.path, blob.digest, blob.size)
    assert hashlib.sha256(await read(store, blob.digest)).hexdigest() == blob.digest
    assert not blob.path.exists()
    assert list((store.root / "partial").iterdir()) == []


WRITER = """
import asyncio, hashlib, os, sys
from pathlib import Path
from storage.blobs.folder import FolderStore

async def main(root, staging):
    store = FolderStore(root)
    while True:
        content = os.urandom(200_000)
        digest = hashlib.sha256(content).hexdigest()
        path = staging / digest
        path.write_bytes(content)
        await store.put(path, digest, len(content))
        print(digest, flush=True)

asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
"""


@pytest.mark.parametrize("disk", ["same", "other"])
async def test_a_killed_writer_leaves_no_half_blob(tmp_path: Path, disk: str, request: pytest.FixtureRequest) -> None:
    """Killed at random places: every name has its bytes, and what was acknowledged is there."""
    staging = (tmp_path if disk == "same" else request.getfixturevalue("other_disk")) / "staging"
    staging.mkdir()
    acknowledged: list[str] = []
    for _ in range(5):
        acknowledged += await asyncio.to_thread(_write_and_kill, tmp_path / "blobs", staging)
    assert acknowledged
    store = FolderStore(tmp_path / "blobs")
    found = [blob.digest async for blob in store.list()]
    assert set(acknowledged) <= set(found)
    for digest in found:
        assert hashlib.sha256(await read(store, digest)).hexdigest() == digest


def _write_and_kill(root: Path, staging: Path) -> list[str]:
    command = [sys.executable, "-c", WRITER, str(root), str(staging)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        time.sleep(random.uniform(0, 0.03))  # the moment is what is tried
        process.kill()
        return [line.strip() for line in [first, *process.stdout] if line.endswith("\n")]


async def test_what_a_killed_copy_left_goes_when_it_is_old(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "blobs")
    await store.check()
    old, new = store.root / "partial" / "old", store.root / "partial" / "new"
    old.write_bytes(b"half")
    new.write_bytes(b"half")
    os.utime(old, (0, 0))
    await store.check()
    assert not old.exists()
    assert new.exists()


LIMITED = """
import asyncio, resource, signal, sys
from pathlib import Path
from actors.blobs import BlobStoreFull
from storage.blobs.folder import FolderStore

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

async def main(root, path, digest):
    try:
        await FolderStore(root).put(path, digest, path.stat().st_size)
    except BlobStoreFull as error:
        print(error)

asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
"""


async def test_a_copy_that_finds_no_space_leaves_nothing(tmp_path: Path, other_disk: Path) -> None:
    """The limit of a file's size stands for the end of the disk: writing fails in the middle."""
    blob = staged(other_disk, os.urandom(300_000))
    command = [sys.executable, "-c", LIMITED, str(tmp_path / "blobs"), str(blob.path), blob.digest]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.startswith("No space left for files")
    assert blob.path.exists()
    assert [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("number", "kind"),
    [(errno.ENOSPC, BlobStoreFull), (errno.EDQUOT, BlobStoreFull), (errno.EROFS, BlobStoreRefused),
     (errno.EACCES, BlobStoreRefused), (errno.EIO, BlobStoreUnavailable)],
)  # fmt: skip
async def test_what_a_disk_refuses_is_said_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[Exception]
) -> None:
    store = FolderStore(tmp_path / "blobs")
    blob = staged(tmp_path, b"x")

    def fail(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(kind, match=os.strerror(number)):
        await store.put(blob.path, blob.digest, blob.size)
    monkeypatch.undo()
    assert await store.size(blob.digest) is None
    await store.put(blob.path, blob.digest, blob.size)
    assert await store.size(blob.digest) == 1


async def test_a_file_in_the_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "blobs").write_text("no folder")
    with pytest.raises(BlobStoreRefused, match="expected a folder"):
        await FolderStore(tmp_path / "blobs").check()


async def test_storing_again_makes_a_blob_recent_and_whole(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "blobs")
    digest = await stored(store, tmp_path, b"content")
    path = store.root / digest[:2] / digest[2:4] / digest
    path.write_bytes(b"damaged")
    os.utime(path, (0, 0))
    await stored(store, tmp_path, b"content")
    assert await read(store, digest) == b"content"
    assert path.stat().st_mtime > time.time() - 60


async def test_other_files_are_no_blobs(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "blobs")
    digest = await stored(store, tmp_path, b"content")
    for name in ("README", "ab", f"{digest[:2]}/note", f"{digest[:2]}/{digest[2:4]}/{'0' * 64}"):
        if not (store.root / name).exists():
            (store.root / name).write_text("not ours")
    assert [blob.digest async for blob in store.list()] == [digest]


async def test_a_reader_that_goes_while_its_file_is_opened_leaves_it_closed(tmp_path: Path) -> None:
    """A pipe takes as long to open as its other end takes to come."""
    store = FolderStore(tmp_path / "blobs")
    digest = await stored(store, tmp_path, b"slow")
    path = store.local_path(digest)
    assert path is not None
    path.unlink()
    os.mkfifo(path)
    reading = asyncio.ensure_future(anext(store.open(digest)))
    other_end: list[int] = []

    def is_being_opened() -> bool:
        with contextlib.suppress(OSError):  # ENXIO: nobody opens it yet
            other_end.append(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
        return bool(other_end)

    await until(is_being_opened)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    ended = select.poll()
    ended.register(other_end[0], select.POLLERR)
    assert await asyncio.to_thread(ended.poll, 10_000), "the reading end is still open"
    os.close(other_end[0])
    await store.close()
