"""The command that makes a PDF of an office document, as an operator sets it."""

import shlex
import shutil

PLACES = ("{input}", "{output_dir}")


def parse_convert_command(text: str) -> tuple[str, ...]:
    """`soffice --headless --convert-to pdf --outdir {output_dir} {input}` → its arguments; none for an empty setting.

    Raises `ValueError` for one that cannot run: without its two places, or with a program that is not there.
    """
    arguments = tuple(shlex.split(text))
    if not arguments:
        return ()
    for place in PLACES:
        if not any(place in argument for argument in arguments):
            raise ValueError(f"expected a command with {' and '.join(PLACES)}, got {text!r}")
    _must_fit(arguments)
    if shutil.which(arguments[0]) is None:
        raise ValueError(f"expected a program that is installed, got {arguments[0]!r}")
    return arguments


def _must_fit(arguments: tuple[str, ...]) -> None:
    """Other braces would fail with the first document."""
    try:
        for argument in arguments:
            argument.format_map({"input": "", "output_dir": ""})
    except (KeyError, IndexError, ValueError) as error:
        raise ValueError(f"expected no braces but {' and '.join(PLACES)}; double all others") from error
