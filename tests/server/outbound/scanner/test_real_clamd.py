"""A real clamd with a signature of our own; where Debian's package clamav-daemon is not installed, skipped."""

import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from actors.scanner import Clean, Found, Unavailable
from server.outbound.scanner.clamd import Clamd
from server.outbound.scanner.location import ClamdTcp, ClamdUnix
from tests.serving import free_port

MARK = b"-".join([b"a mark", b"that only", b"this test", b"looks for"])
STREAM_MAX = 2_000_000
CONFIGURATION = """\
Foreground yes
DatabaseDirectory {folder}/signatures
LocalSocket {folder}/clamd.sock
TCPSocket {port}
TCPAddr 127.0.0.1
StreamMaxLength {stream_max}
DisableCertCheck yes
"""


@dataclass(frozen=True)
class Running:
    by_socket: Clamd
    by_port: Clamd
    process: subprocess.Popen[bytes]


@pytest.fixture(scope="module")
def clamd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    program = shutil.which("clamd", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("clamd is not installed (apt-get install clamav-daemon)")
    folder, port = tmp_path_factory.mktemp("clamd"), free_port()
    (folder / "signatures").mkdir()
    (folder / "signatures" / "ours.ndb").write_text(f"Ours.Mark:0:*:{MARK.hex()}\n")
    known = hashlib.md5(b"known by its hash").hexdigest()
    (folder / "signatures" / "ours.hdb").write_text(f"{known}:17:Ours.Hash\n")
    (folder / "clamd.conf").write_text(CONFIGURATION.format(folder=folder, port=port, stream_max=STREAM_MAX))
    process = subprocess.Popen(
        [program, "--config-file", folder / "clamd.conf"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _wait_for(folder / "clamd.sock", process)
    yield Running(Clamd(ClamdUnix(folder / "clamd.sock")), Clamd(ClamdTcp("127.0.0.1", port)), process)
    process.kill()
    process.wait()


def _wait_for(path: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while not path.exists():
        assert process.poll() is None, "clamd has ended"
        assert time.monotonic() < deadline, "clamd did not start"
        time.sleep(0.05)


def eicar() -> bytes:
    """Put together here, so that no scanner finds it in the sources."""
    return b"X5O!P%@AP[4" + b"\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTI" + b"VIRUS-TEST-FILE!$H+H*"


@pytest.mark.parametrize("way", ["by_socket", "by_port"])
async def test_verdicts(clamd: Running, tmp_path: Path, way: str) -> None:
    client: Clamd = getattr(clamd, way)
    assert "ClamAV" in await client.check()
    file = tmp_path / "file"
    for content, verdict in (
        (b"nothing of note", Clean()),
        (b"", Clean()),
        (os.urandom(300_000) + MARK + os.urandom(300_000), Found("Ours.Mark.UNOFFICIAL")),
        (b"known by its hash", Found("Ours.Hash.UNOFFICIAL")),
    ):
        file.write_bytes(content)
        assert await client.scan(file) == verdict


async def test_eicar_in_a_zip(clamd: Running, tmp_path: Path) -> None:
    """clamd knows EICAR by heart where its official signatures are; here our mark stands in the archive beside it."""
    import zipfile

    with zipfile.ZipFile(tmp_path / "archive.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("eicar.com", eicar())
        archive.writestr("marked.txt", MARK * 10)
    assert isinstance(await clamd.by_socket.scan(tmp_path / "archive.zip"), Found)


async def test_a_file_beyond_its_stream_limit_has_no_verdict(clamd: Running, tmp_path: Path) -> None:
    file = tmp_path / "large"
    for size in (STREAM_MAX + 1, 5 * STREAM_MAX):
        file.write_bytes(bytes(size))
        verdict = await clamd.by_socket.scan(file)
        assert isinstance(verdict, Unavailable)
        assert "StreamMaxLength" in verdict.reason


async def test_a_clamd_that_dies_has_no_verdict(clamd: Running, tmp_path: Path) -> None:
    """The last one: it ends the process."""
    (tmp_path / "file").write_bytes(b"nothing of note")
    clamd.process.kill()
    clamd.process.wait()
    assert isinstance(await clamd.by_socket.scan(tmp_path / "file"), Unavailable)
    assert isinstance(await clamd.by_port.scan(tmp_path / "file"), Unavailable)
