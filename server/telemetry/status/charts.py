"""A series as a small SVG: a line over the hour, which a page shows without any script."""

from collections.abc import Sequence
from html import escape

from server.telemetry.status.figures import Series, Value

WIDTH, HEIGHT = 240, 48


def chart(series: Series, samples: int) -> str:
    """`samples` values are an hour: what is not there yet is left empty at the left."""
    known = [value for value in series.values if value is not None]
    top = max(known, default=0.0) or 1.0
    lines = "".join(f'<polyline points="{points}"/>' for points in _lines(series.values, samples, top))
    label = f"{series.title}: now {shown(last(series.values), series.unit)}, at most {shown(top, series.unit)}"
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" role="img">'
        f"<title>{escape(label)}</title>{lines}</svg>"
    )


def _lines(values: Sequence[Value], samples: int, top: float) -> list[str]:
    """A line for each run of values without a gap."""
    lines: list[list[str]] = [[]]
    step = WIDTH / max(samples - 1, 1)
    left = WIDTH - step * (len(values) - 1)
    for index, value in enumerate(values):
        if value is None:
            lines.append([])
        else:
            lines[-1].append(f"{left + index * step:.1f},{HEIGHT - 2 - (HEIGHT - 4) * value / top:.1f}")
    return [" ".join(points * 2 if len(points) == 1 else points) for points in lines if points]


def last(values: Sequence[Value]) -> Value:
    return values[-1] if values else None


def shown(value: Value, unit: str) -> str:
    """As people read it: `12 ms`, `3.4 MiB`, `0.02 %`."""
    if value is None:
        return "–"
    if unit == "s":
        return f"{value:.1f} s" if value >= 1 else f"{value * 1000:.3g} ms"
    if unit.startswith("B"):
        return f"{_size(value)}{unit[1:]}"
    return f"{value:,.3g}{f' {unit}' if unit else ''}" if value < 1000 else f"{value:,.0f}{f' {unit}' if unit else ''}"


def _size(value: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if value < 1024:
            return f"{value:.3g} {unit}" if value < 100 else f"{value:.0f} {unit}"
        value /= 1024
    return f"{value:.3g} GiB"
