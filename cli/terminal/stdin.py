"""Text that comes by a pipe."""

import sys

import click


def read_text() -> str:
    """All of it, whatever the terminal's locale. Raises `click.ClickException` for what is not UTF-8."""
    try:
        return sys.stdin.buffer.read().decode()
    except UnicodeDecodeError as error:
        wrong = error.object[error.start]
        raise click.ClickException(
            f"stdin: expected text in UTF-8; byte {error.start} is 0x{wrong:02x}, in another encoding."
        ) from None
