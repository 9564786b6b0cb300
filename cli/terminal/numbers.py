"""Numbers as they are typed."""

from typing import Any

import click

from actors import limits


class Number(click.IntRange):
    """A whole number, at least `min`, that a database can be asked for."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        number: int = super().convert(value, param, ctx)
        if number > limits.XP_NUMBER:
            self.fail(f"expected at most {limits.XP_NUMBER}; got {number}.", param, ctx)
        return number
