"""The command that makes a PDF of an office document, as an operator sets it."""

import pytest

from server.previews.convert_command import parse_convert_command


def test_a_command_is_split_as_a_shell_would() -> None:
    assert parse_convert_command("sh 'a b' {input} --to={output_dir}") == ("sh", "a b", "{input}", "--to={output_dir}")
    assert parse_convert_command("  ") == ()


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("sh {input}", r"expected a command with \{input\} and \{output_dir\}"),
        ("sh 'open {input} {output_dir}", "No closing quotation"),
        ("sh {input} {output_dir} {name}", "expected no braces but"),
        ("not-installed-here {input} {output_dir}", "expected a program that is installed"),
    ],
)
def test_a_command_that_cannot_run_is_refused_at_start(command: str, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        parse_convert_command(command)
