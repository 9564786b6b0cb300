"""What the headers of tus 1.0.0 say."""

import base64
import hashlib

import pytest

from actors.errors import Conflict, Malformed, TooLarge, UnsupportedMedia, UnsupportedProtocol, ValidationFailed
from server.files.uploads import tus


def b64(text: str | bytes) -> str:
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


def test_only_one_version_is_spoken_and_the_refusal_names_it() -> None:
    tus.must_be_spoken({"Tus-Resumable": "1.0.0"})
    for headers in ({}, {"Tus-Resumable": "0.2.2"}):
        with pytest.raises(UnsupportedProtocol) as refused:
            tus.must_be_spoken(headers)
        assert refused.value.data["headers"] == {"Tus-Version": "1.0.0"}


def test_a_creation_says_what_the_file_will_be() -> None:
    metadata = f"filename {b64('naïve.png')},filetype {b64('image/png')},thread_id {b64('c1')},empty,own {b64('x')}"
    asked = tus.creation_of({"Upload-Length": "100", "Upload-Metadata": metadata}, 1_000)
    assert asked == tus.Creation(100, "naïve.png", "image/png", "c1", None, None)


def test_uppys_names_of_the_same_are_understood() -> None:
    asked = tus.creation_of({"Upload-Length": "0", "Upload-Metadata": f"name {b64('a')},type {b64('text/plain')}"}, 10)
    assert (asked.name, asked.media_type, asked.length) == ("a", "text/plain", 0)


def test_a_new_version_needs_no_name() -> None:
    assert tus.creation_of({"Upload-Length": "1", "Upload-Metadata": f"file_id {b64('c9')}"}, 10).file_id == "c9"


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ({"Upload-Metadata": f"filename {b64('a')}"}, ValidationFailed),
        ({"Upload-Length": "-1", "Upload-Metadata": f"filename {b64('a')}"}, ValidationFailed),
        ({"Upload-Length": "²", "Upload-Metadata": f"filename {b64('a')}"}, ValidationFailed),
        ({"Upload-Length": "1" * 16, "Upload-Metadata": f"filename {b64('a')}"}, ValidationFailed),
        ({"Upload-Length": "11", "Upload-Metadata": f"filename {b64('a')}"}, TooLarge),
        ({"Upload-Defer-Length": "2", "Upload-Metadata": f"filename {b64('a')}"}, ValidationFailed),
        (
            {"Upload-Defer-Length": "1", "Upload-Length": "1", "Upload-Metadata": f"filename {b64('a')}"},
            ValidationFailed,
        ),
        ({"Upload-Length": "1"}, ValidationFailed),
        ({"Upload-Length": "1", "Upload-Metadata": "filename"}, ValidationFailed),
        ({"Upload-Length": "1", "Upload-Metadata": "filename !!!"}, ValidationFailed),
        ({"Upload-Length": "1", "Upload-Metadata": "filename /w=="}, ValidationFailed),
        ({"Upload-Length": "1", "Upload-Metadata": f"filename {b64('a')},filename {b64('b')}"}, ValidationFailed),
    ],
)
def test_what_cannot_be_created_is_refused(headers: dict[str, str], kind: type[Exception]) -> None:
    with pytest.raises(kind):
        tus.creation_of(headers, 10)


def test_a_part_of_a_file_is_no_file() -> None:
    with pytest.raises(ValidationFailed, match="Upload-Concat"):
        tus.creation_of({"Upload-Length": "5", "Upload-Concat": "partial", "Upload-Metadata": "filename YQ=="}, 10)


@pytest.mark.parametrize("algorithm", tus.ALGORITHMS)
def test_a_checksum_is_read(algorithm: str) -> None:
    digest = hashlib.new(algorithm, b"hello").digest()
    checksum = tus.checksum_of({"Upload-Checksum": f"{algorithm} {b64(digest)}"})
    assert checksum is not None
    counted = checksum.new()
    counted.update(b"hello")
    assert counted.digest() == checksum.digest


@pytest.mark.parametrize("header", ["crc32 AAAA", "sha1", "sha1 !!!", ""])
def test_a_checksum_that_is_none_is_refused(header: str) -> None:
    if header == "sha1":  # a digest of no bytes never matches
        assert tus.checksum_of({"Upload-Checksum": header}) == tus.Checksum("sha1", b"")
        return
    with pytest.raises(Malformed):
        tus.checksum_of({"Upload-Checksum": header})


def test_a_piece_begins_where_the_upload_ends() -> None:
    tus.must_continue(5, 5, 10)
    with pytest.raises(Conflict) as refused:
        tus.must_continue(4, 5, 10)
    assert refused.value.data["headers"] == {"Upload-Offset": "5"}
    assert refused.value.code == "offset_mismatch"


def test_a_piece_has_its_own_type() -> None:
    tus.must_be_piece("application/offset+octet-stream")
    with pytest.raises(UnsupportedMedia):
        tus.must_be_piece("application/octet-stream")


def test_what_head_tells_of_metadata_can_be_read_back() -> None:
    assert tus.metadata_of(tus.metadata_header("naïve, a.png", "image/png")) == {
        "filename": "naïve, a.png", "filetype": "image/png",
    }  # fmt: skip
