"""Times as they are typed and as people read them."""

import re
import time
from datetime import UTC, datetime
from typing import Any

import click

from actors import limits

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


class Duration(click.ParamType[int]):
    """Seconds, typed as `15m` or `30d`."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:

        match = re.fullmatch(r"(\d{1,9})([smhd])", str(value))
        if match is None:
            self.fail(f"expected a number and s, m, h or d, such as 15m, 12h or 30d; got {value!r}.", param, ctx)
        seconds = int(match[1]) * _UNITS[match[2]]
        if not 0 < seconds <= limits.TOKEN_SECONDS_MAX:
            self.fail(f"expected 1s to {limits.TOKEN_SECONDS_MAX // 86_400}d; got {value!r}.", param, ctx)
        return seconds


class Moment(click.ParamType[int]):
    """Milliseconds since 1970, typed as an ISO 8601 time (UTC where it names no zone), or as `15m`: so long ago."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        text = str(value).strip()
        ago = re.fullmatch(r"(\d{1,9})([smhd])", text)
        if ago is not None:
            return now_ms() - 1000 * int(ago[1]) * _UNITS[ago[2]]
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            self.fail(f"expected 2026-11-29T14:05:00Z, or 15m for so long ago; got {value!r}.", param, ctx)
        return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))


def distance(seconds: float) -> str:
    """`in 11 hours`, `3 days ago`."""
    amount, unit = abs(seconds), "second"
    for longer, size in (("minute", 60), ("hour", 3600), ("day", 86_400)):
        if abs(seconds) >= 2 * size:
            amount, unit = abs(seconds) / size, longer
    words = f"{int(amount)} {unit}{'' if int(amount) == 1 else 's'}"
    return f"in {words}" if seconds > 0 else f"{words} ago"


def moment_and_distance(seconds: float) -> str:
    return f"{moment(seconds)} ({distance(seconds - time.time())})"
