"""From a location to a store."""

import asyncio
import subprocess
import sys
from pathlib import Path

from storage.blobs.folder import FolderStore
from storage.blobs.location import parse
from storage.blobs.opening import open_store
from storage.blobs.s3.store import S3Store
from tests.storage.blobs.s3_servers import free_port

ROOT = Path(__file__).parents[3]


def test_a_folder_or_a_bucket(tmp_path: Path) -> None:
    assert isinstance(open_store(parse(str(tmp_path))), FolderStore)
    assert isinstance(open_store(parse("s3://bucket/prefix")), S3Store)


WITHOUT = """
import sys
sys.modules["obstore"] = None
from actors.blobs import BlobStoreRefused
from storage.blobs.location import parse
from storage.blobs.opening import open_store
open_store(parse("folder"))
try:
    open_store(parse("s3://bucket"))
except BlobStoreRefused as error:
    print(error)
"""


def test_a_missing_extra_is_named() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "Files in S3 need the extra s3; run: pip install 'experience-server[s3]'\n"


ENDS = """
import asyncio, sys
from actors.blobs import BlobStoreUnavailable
from storage.blobs.location import S3Location
from storage.blobs.s3.client import Patience
from storage.blobs.s3.signing import S3Keys
from storage.blobs.s3.store import S3Store

async def main():
    store = S3Store(S3Location("bucket", endpoint=sys.argv[1]), S3Keys("KEY", "SECRET"), Patience(1, 1, 1, 1))
    try:
        await store.size("ab" * 32)
    except BlobStoreUnavailable:
        print("done")

asyncio.run(main())
"""


async def test_a_process_ends_quietly_right_after_a_request() -> None:
    """obstore's OS threads would abort it, one time in three."""
    command = [sys.executable, "-c", ENDS, f"http://127.0.0.1:{free_port()}"]
    for _ in range(5):  # one after the other: each would end well in two of three
        assert await asyncio.to_thread(_run, command) == (0, "done\n", "")


def _run(command: list[str]) -> tuple[int, str, str]:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr
