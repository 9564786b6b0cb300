"""Numbers as they are typed."""

import math
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


class Real(click.FloatRange):
    """A number with a fraction, and within its range: `nan` is in none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number: float = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value!r} is no number.", param, ctx)
        return number
