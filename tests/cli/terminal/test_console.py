"""How commands print."""

from pathlib import Path

import click
import pytest

from cli.terminal import console
from cli.terminal.written_files import written


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        (None, ""),
        (3, "3"),
        ("one\r\ntwo\tthree", "one two three"),
        ("\x1b]0;title\x07 \x9b31m", "\ufffd]0;title\ufffd \ufffd31m"),
        ("\u202eevil\u2069", "evil"),
        ("👩‍👩‍👧 é ü 漢", "👩‍👩‍👧 é ü 漢"),
        ("\ud800", "\ufffd"),
    ],
)
def test_text_of_others_stays_on_its_line_and_moves_nothing(text: object, shown: str) -> None:
    assert console.plain(text) == shown


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536 * 1024, "1.5 MiB"), (2 * 1024**4, "2.0 TiB"), (None, "?")],
)
def test_sizes(count: int | None, shown: str) -> None:
    assert console.size(count) == shown


def test_a_file_in_a_pipe_is_not_wrapped(capsys: pytest.CaptureFixture[str]) -> None:
    console.print_table(("one", "two"), [("x" * 500, "y" * 500)])
    assert "x" * 500 in capsys.readouterr().out


def test_a_bar_that_nobody_sees(capsys: pytest.CaptureFixture[str]) -> None:
    with console.progress_bar("doing") as progress:
        progress(1, 2)
    assert capsys.readouterr() == ("", "")


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "file"

    def fail() -> None:
        with written(str(path), force=False) as file:
            file.write(b"half")
            raise click.ClickException("no")

    with pytest.raises(click.ClickException):
        fail()
    assert list(tmp_path.iterdir()) == []
