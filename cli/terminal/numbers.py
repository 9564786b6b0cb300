"""Numbers as they are typed."""

from typing import Any, Final

import click

LARGEST: Final = 2**53 - 1
"""As the API has it: JSON keeps no larger one exactly, and SQLite takes none beyond 2⁶³."""


class Number(click.IntRange):
    """A whole number, at least `min`, that a database can be asked for."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        number: int = super().convert(value, param, ctx)
        if number > LARGEST:
            self.fail(f"expected at most {LARGEST}; got {number}.", param, ctx)
        return number
