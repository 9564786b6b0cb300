"""Names of files: safe on every platform, in every header, in every archive."""

import email.message
import email.policy
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.files.names import content_disposition, extension, safe_name, unique_names


@pytest.mark.parametrize(
    ("given_name", "expected"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\photo.jpg", "photo.jpg"),
        ("/", "file"),
        ("", "file"),
        ("..", "file"),
        (". .", "file"),
        ("\u200d", "file"),
        ("\x00\n\r", "file"),
        (".htaccess", "htaccess"),
        ("name. . ", "name"),
        ("a\x00b\r\nc\x7f\x85.txt", "abc.txt"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("com1.tar.gz", "_com1.tar.gz"),
        ("COM¹.txt", "_COM¹.txt"),
        ("lpt9 .txt", "_lpt9 .txt"),
        ("CONSOLE.txt", "CONSOLE.txt"),
        ("photo\u202egpj.exe", "photo[U+202E]gpj.exe"),
        ("a\u2066b\u2069.txt", "a[U+2066]b[U+2069].txt"),
        ("e\u0301t\u200be\u0301.txt", "été.txt"),
        ('a<b>:"c|d?e*.txt', "a_b___c_d_e_.txt"),
        ("\ud800.txt", "\ufffd.txt"),
        ("a\u2028b\u3000c.txt", "a b c.txt"),
        ("日本語の資料.docx", "日本語の資料.docx"),
        ("👩\u200d👩\u200d👧.png", "👩\u200d👩\u200d👧.png"),
    ],
)
def test_a_name_is_made_safe(given_name: str, expected: str) -> None:
    assert safe_name(given_name) == expected


def test_a_long_name_keeps_its_extension() -> None:
    name = safe_name("语" * 300 + ".tar.xz")
    assert len(name.encode()) <= 255
    assert name.startswith("语" * 80)
    assert name.endswith(".xz")


def test_a_name_that_is_reserved_only_when_cut_is_made_safe() -> None:
    assert safe_name("CON" + " " * 300 + "x.txt") == "_CON.txt"


@given(st.text(max_size=400))
def test_what_is_safe_stays_as_it_is(name: str) -> None:
    safe = safe_name(name)
    assert safe_name(safe) == safe
    assert 0 < len(safe.encode()) <= 255
    assert unicodedata.normalize("NFC", safe) == safe
    assert not set(safe) & set('/\\\r\n\x00\u202e"')
    assert safe not in {".", ".."}


@given(st.text(max_size=300), st.booleans())
def test_a_disposition_is_one_line_of_ascii_that_gives_the_name_back(name: str, inline: bool) -> None:
    header = content_disposition(name, inline=inline)
    assert header.isascii()
    assert header.isprintable()
    assert header.count('"') == 2
    message = email.message.EmailMessage(policy=email.policy.HTTP)
    message["Content-Disposition"] = header
    assert message.get_content_disposition() == ("inline" if inline else "attachment")
    if "filename*" in header:
        assert header.partition("filename*=UTF-8''")[2].isascii()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("report.pdf", 'attachment; filename="report.pdf"'),
        ("naïve.txt", "attachment; filename=\"naive.txt\"; filename*=UTF-8''na%C3%AFve.txt"),
        ("€ rates.txt", "attachment; filename=\"_ rates.txt\"; filename*=UTF-8''%E2%82%AC%20rates.txt"),
        ("100%.txt", "attachment; filename=\"100_.txt\"; filename*=UTF-8''100%25.txt"),
        ('x"; filename="evil.html', 'attachment; filename="x_; filename=_evil.html"'),
        ("x\r\nSet-Cookie: a=b", 'attachment; filename="xSet-Cookie_ a=b"'),
    ],
)
def test_a_disposition_is_what_the_rfcs_say(name: str, expected: str) -> None:
    assert content_disposition(name, inline=False) == expected


def test_names_in_an_archive_are_unique_whatever_the_case() -> None:
    names = ["a.txt", "A.TXT", "a.txt", "a (2).txt", "../a.txt", "b"]
    assert unique_names(names) == ["a.txt", "A (2).TXT", "a (3).txt", "a (2) (2).txt", "a (4).txt", "b"]


@given(st.lists(st.text(alphabet="aAß.é /", max_size=4), max_size=20))
def test_unique_names_are_safe_and_unique(names: list[str]) -> None:
    unique = unique_names(names)
    assert len({name.casefold() for name in unique}) == len(names)


def test_the_names_of_many_equal_files_take_linear_time() -> None:
    assert unique_names(["x" * 300 + ".txt"] * 2000)[-1].endswith(" (2000).txt")


@pytest.mark.parametrize(("name", "expected"), [("a.TXT", "txt"), ("a", ""), (".png", ""), ("a.tar.gz", "gz")])
def test_an_extension_is_what_follows_the_last_dot(name: str, expected: str) -> None:
    assert extension(name) == expected
