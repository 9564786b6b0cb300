"""Forms as browsers, curl and libraries send them, and as nobody should."""

import os
import random

import pytest

from actors import limits
from actors.errors import Malformed, TooLarge, UnsupportedMedia, XpError
from server.files.uploads.form_parser import FormParser, PartBegan, PartBytes, PartEnded, boundary_of

Part = tuple[str, str | None, str | None, bytes]


def parse(body: bytes, size: int = 1 << 20, boundary: bytes = b"b") -> list[Part]:
    """Name, file name, type and content of each part; the body comes in pieces of this size."""
    parser, found, current = FormParser(boundary), [], b""
    began: PartBegan | None = None
    for start in range(0, len(body), size):
        for event in parser.feed(body[start : start + size]):
            match event:
                case PartBegan():
                    began, current = event, b""
                case PartBytes(data):
                    current += data
                case PartEnded():
                    assert began is not None
                    found.append((began.name, began.filename, began.media_type, current))
    parser.finish()
    return found


def part(head: str, content: bytes) -> bytes:
    return f"--b\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + content + b"\r\n"


CONTENT = b"\r\n--\r\n-b\r\n-" + bytes(range(256)) + b"\r\n--"
BODY = (
    b"--b\r\nContent-Disposition: form-data; name=\"thread_id\"\r\n\r\nc123\r\n"
    b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.bin\"\r\nContent-Type: image/png\r\n\r\n"
    + CONTENT + b"\r\n--b--\r\nwhat follows is ignored"
)  # fmt: skip
PARTS: list[Part] = [("thread_id", None, None, b"c123"), ("file", "a.bin", "image/png", CONTENT)]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 64, 1 << 20])
def test_a_form_is_read_whatever_the_pieces_it_comes_in(size: int) -> None:
    assert parse(BODY, size) == PARTS


def test_cut_anywhere_it_reads_the_same() -> None:
    content = os.urandom(5_000).replace(b"\r\n--b", b"")
    body = part('name="f"; filename="x"', content) + part('name="g"; filename="y"', b"") + b"--b--"
    chance = random.Random(7)
    for _ in range(50):
        assert [found[3] for found in parse(body, chance.randrange(1, 600))] == [content, b""]


@pytest.mark.parametrize(
    ("head", "filename"),
    [
        ('name="f"; filename="a.txt"', "a.txt"),
        ("name=f; filename=a.txt", "a.txt"),
        ('name="f"; filename=""', ""),
        ('name="f"; filename="naïve ☃.txt"', "naïve ☃.txt"),
        ('name="f"; filename="say %22hi%22%0D%0A.txt"', 'say "hi"\r\n.txt'),
        ('name="f"; filename="say \\"hi\\".txt"', 'say "hi".txt'),
        ('name="f"; filename="C:\\dir\\a.txt"', "C:\\dir\\a.txt"),
        ("name=\"f\"; filename*=UTF-8''na%C3%AFve.txt", "naïve.txt"),
        ('name="f"; filename="100%.txt"', "100%.txt"),
        ('name="f"; filename="a;b=c.txt"', "a;b=c.txt"),
    ],
)
def test_names_of_files(head: str, filename: str) -> None:
    ((name, found, _, _),) = parse(part(head, b"x") + b"--b--")
    assert (name, found) == ("f", filename)


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ("multipart/form-data; boundary=abc", b"abc"),
        ('multipart/form-data; boundary="a b:c"', b"a b:c"),
        ("Multipart/Form-Data; charset=utf-8; BOUNDARY=----WebKitFormBoundaryX", b"----WebKitFormBoundaryX"),
    ],
)
def test_the_boundary_is_read(content_type: str, boundary: bytes) -> None:
    assert boundary_of(content_type) == boundary


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [
        ("application/json", UnsupportedMedia),
        ("multipart/mixed; boundary=a", UnsupportedMedia),
        ("multipart/form-data", Malformed),
        ("multipart/form-data; boundary=", Malformed),
        (f"multipart/form-data; boundary={'a' * 71}", Malformed),
    ],
)
def test_what_is_no_form_is_refused(content_type: str, kind: type[XpError]) -> None:
    with pytest.raises(kind):
        boundary_of(content_type)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", Malformed),
        (b"no boundary at all", Malformed),
        (part('name="f"; filename="x"', b"cut off"), Malformed),
        (part('name="f"; filename="x"', b"") + b"--b-", Malformed),
        (part('filename="no name"', b"") + b"--b--", Malformed),
        (b"--b\r\nContent-Type: text/plain\r\n\r\n\r\n--b--", Malformed),
        (b"--b\r\n\r\nno headers\r\n--b--", Malformed),
        (b"--b junk\r\n\r\n", Malformed),
        (b"--b\r\n" + b"X: y\r\n" * 5_000, TooLarge),
        (b"--b" + b" " * 10_000, Malformed),
        (part('name="f"', b"x") * (limits.FORM_PARTS + 1), TooLarge),
    ],
)
def test_what_cannot_be_read_is_refused(body: bytes, kind: type[XpError]) -> None:
    with pytest.raises(kind):
        parse(body, 100)


def test_spaces_behind_a_boundary_are_none() -> None:
    body = b"--b \t\r\nContent-Disposition: form-data; name=f\r\n\r\n1\r\n--b--\r\n"
    assert [found[3] for found in parse(body, 1)] == [b"1"]


def test_little_is_held_of_a_large_part() -> None:
    parser = FormParser(b"b")
    list(parser.feed(part('name="f"; filename="x"', b"")[:-2]))
    for _ in range(100):
        assert sum(len(event.data) for event in parser.feed(bytes(65_536)) if isinstance(event, PartBytes)) > 65_000
        assert len(parser._held) < 10
