"""Archives that are bombs: found by what they claim and by a bounded look, never by unpacking them."""

import bz2
import gzip
import io
import lzma
import os
import tarfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from server.files.archives.bombs import ArchiveLimits, Inspection, inspect
from tests.server.files import hostile


def _inspect(tmp_path: Path, data: bytes, limits: ArchiveLimits | None = None) -> Inspection:
    path = tmp_path / "archive"
    path.write_bytes(data)
    return inspect(path, limits)


def _tar(members: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return made.getvalue()


def test_a_usual_archive_is_none(tmp_path: Path) -> None:
    inner = hostile.zipped({"c.txt": b"c" * 5000})
    seen = _inspect(tmp_path, hostile.zipped({"a.txt": b"a" * 5000, "b.zip": inner}))
    assert (seen.kind, seen.bomb, seen.entries, seen.depth, seen.complete) == ("zip", None, 3, 2, True)
    assert seen.size == 10_000 + len(inner)


def test_a_file_that_is_no_archive_is_not_looked_into(tmp_path: Path) -> None:
    assert _inspect(tmp_path, b"plain text").kind is None
    assert _inspect(tmp_path, b"").kind is None


def test_a_ratio_that_only_a_bomb_has(tmp_path: Path) -> None:
    seen = _inspect(tmp_path, hostile.zipped({"zeros": bytes(3_000_000)}), ArchiveLimits(free_size=1_000_000))
    assert seen.bomb is not None
    assert seen.bomb.startswith("3000000 bytes packed into")


def test_a_claim_of_more_bytes_than_allowed(tmp_path: Path) -> None:
    seen = _inspect(tmp_path, hostile.claiming_zip(0xFFFFFFF0), ArchiveLimits(size=2**31))
    assert seen.bomb == f"more than {2**31} bytes unpacked"


def test_entries_that_share_their_bytes(tmp_path: Path) -> None:
    assert _inspect(tmp_path, hostile.overlapping_zip()).bomb == "entries share their bytes"


@pytest.mark.parametrize("levels", [4, 5])
def test_archives_may_hold_archives(tmp_path: Path, levels: int) -> None:
    seen = _inspect(tmp_path, hostile.nested_zip(levels))
    assert (seen.bomb, seen.depth) == (None, levels)


def test_archives_within_archives_end_somewhere(tmp_path: Path) -> None:
    """As 42.zip, and as a quine that holds itself for ever."""
    assert _inspect(tmp_path, hostile.nested_zip(6, width=3)).bomb == "archives within archives, more than 5 deep"


def test_layers_are_counted_together(tmp_path: Path) -> None:
    seen = _inspect(tmp_path, hostile.nested_zip(3, width=10), ArchiveLimits(size=50_000_000, ratio=10**9))
    assert seen.bomb == "more than 50000000 bytes unpacked"


def test_a_directory_of_very_many_entries_is_read_no_further_than_allowed(tmp_path: Path) -> None:
    data = hostile.many_entries_zip(8_000)
    tracemalloc.start()
    try:
        seen = _inspect(tmp_path, data, ArchiveLimits(entries=6_000))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert seen.bomb == "more than 6000 entries"
    assert peak < 10 * len(data)


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress], ids=["gzip", "bzip2", "xz"])
def test_a_stream_that_is_a_bomb(tmp_path: Path, pack: object) -> None:
    assert callable(pack)
    limits = ArchiveLimits(free_size=1_000_000, looked_at=4_000_000)
    seen = _inspect(tmp_path, pack(bytes(3_000_000)), limits)
    assert seen.bomb is not None
    assert "bytes packed into" in seen.bomb
    assert _inspect(tmp_path, pack(os.urandom(300_000)), limits).bomb is None


def test_a_tar_is_looked_into_through_its_stream(tmp_path: Path) -> None:
    seen = _inspect(tmp_path, gzip.compress(_tar({"a": b"a" * 100, "b.zip": hostile.nested_zip(2)})))
    assert (seen.kind, seen.depth, seen.bomb) == ("gzip", 4, None)
    assert _inspect(tmp_path, gzip.compress(_tar({"b.zip": hostile.nested_zip(5)}))).bomb is not None


def test_a_tar_that_claims_terabytes(tmp_path: Path) -> None:
    data = bytearray(_tar({"a": b"a"}))
    data[124:136] = b"\x80\x00\x00\x00\x00\x00\x0f\xff\xff\xff\xff\xff"
    assert _inspect(tmp_path, bytes(data)).bomb == f"more than {4 * 1024**3} bytes unpacked"


def test_more_inner_archives_than_are_looked_at_are_no_bomb(tmp_path: Path) -> None:
    inner = hostile.zipped({"noise": os.urandom(100_000)})
    seen = _inspect(tmp_path, hostile.zipped({f"{n}.zip": inner for n in range(8)}), ArchiveLimits(looked_at=300_000))
    assert (seen.bomb, seen.complete) == (None, False)


@pytest.mark.parametrize("cut", [10, 40, 200, 1000])
def test_a_damaged_archive_is_no_bomb_and_no_error(tmp_path: Path, cut: int) -> None:
    for data in (hostile.nested_zip(2), gzip.compress(os.urandom(3000)), _tar({"a": b"a" * 3000})):
        assert _inspect(tmp_path, data[:cut]).bomb is None
        assert _inspect(tmp_path, data[cut:]).bomb is None
        assert _inspect(tmp_path, data[:cut] + b"\xff" * 30 + data[cut:]).bomb is None


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress], ids=["gzip", "bzip2", "xz"])
def test_what_follows_the_first_stream_of_a_file_is_unpacked_too(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    """As programs unpack it (RFC 1952, 2.2)."""
    bomb = pack(bytes(100_000_000))
    assert _inspect(tmp_path, bomb).bomb is not None
    assert _inspect(tmp_path, pack(b"x") + bomb).bomb is not None
    two = _inspect(tmp_path, pack(b"one") + pack(b"two"))
    assert (two.bomb, two.size) == (None, 6)
    assert _inspect(tmp_path, pack(b"one") + bytes(100)).bomb is None


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress], ids=["gzip", "bzip2", "xz"])
def test_streams_are_counted_where_they_unpack_to_nothing(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    """Each costs time, and twenty bytes."""
    limits = ArchiveLimits(entries=100)
    assert _inspect(tmp_path, pack(b"") * 101, limits).bomb == "more than 100 streams"
    assert _inspect(tmp_path, pack(b"") * 100, limits).bomb is None
