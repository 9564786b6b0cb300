"""Lines over time and curves of percentiles as SVG, which a page shows without any script."""

import math
from collections.abc import Callable, Iterable, Sequence
from html import escape

WIDTH, HEIGHT = 720, 220
LEFT, RIGHT, TOP, BOTTOM = 64, 12, 12, 26
COLOURS = ("#2563eb", "#d97706", "#dc2626", "#059669")
Line = tuple[str, Sequence[tuple[float, float | None]]]
"""(name, points)"""


def over_time(title: str, lines: Sequence[Line], text: Callable[[float], str]) -> str:
    """`text` says a value of the vertical axis; the horizontal one has seconds."""
    known = [point for _, points in lines for point in points if point[1] is not None]
    if not known:
        return ""
    last = max(at for at, _ in known) or 1.0
    top = _round_up(max(value or 0.0 for _, value in known) or 1.0)
    marks = [(at, _seconds(at)) for at in (0.0, last / 2, last)]
    return _chart(title, lines, lambda at: at / last, lambda value: value / top, marks, _grid(top, text))


def percentile_curve(title: str, lines: Sequence[Line], text: Callable[[float], str]) -> str:
    """Points are (share, value); the axis grows by nines, so that the tail is seen."""
    known = [point for _, points in lines for point in points if point[1] is not None]
    if not known:
        return ""
    top = _round_up(max(value or 0.0 for _, value in known) or 1.0)

    def x(share: float) -> float:
        return min(1.0, -math.log10(max(1 - share, 1e-4)) / 4)

    marks = [(share, f"{share * 100:g} %") for share in (0.0, 0.9, 0.99, 0.999)]
    return _chart(title, lines, x, lambda value: value / top, marks, _grid(top, text))


def _grid(top: float, text: Callable[[float], str]) -> list[tuple[float, str]]:
    return [(share, text(top * share)) for share in (0.0, 0.5, 1.0)]


def _chart(
    title: str,
    lines: Sequence[Line],
    x: Callable[[float], float],
    y: Callable[[float], float],
    marks: Iterable[tuple[float, str]],
    grid: Iterable[tuple[float, str]],
) -> str:
    def at(share: float) -> float:
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def up(share: float) -> float:
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    parts = [f"<title>{escape(title)}</title>"]
    for share, label in grid:
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{up(share):.1f}" y2="{up(share):.1f}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{up(share) + 4:.1f}" text-anchor="end">{escape(label)}</text>')
    for place, label in marks:
        parts.append(f'<text x="{at(x(place)):.1f}" y="{HEIGHT - 6}" text-anchor="middle">{escape(label)}</text>')
    for (_, points), colour in zip(lines, COLOURS, strict=False):
        for run in _runs(points):
            path = " ".join(f"{at(x(place)):.1f},{up(y(value)):.1f}" for place, value in run)
            parts.append(f'<polyline stroke="{colour}" points="{path}"/>')
    legend = "".join(
        f'<span><i style="background:{colour}"></i>{escape(name)}</span>'
        for (name, _), colour in zip(lines, COLOURS, strict=False)
    )
    return (
        f"<figure><figcaption>{escape(title)} {legend}</figcaption>"
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img">{"".join(parts)}</svg></figure>'
    )


def _runs(points: Sequence[tuple[float, float | None]]) -> list[list[tuple[float, float]]]:
    """Stretches without a gap; a single point is drawn as a short line."""
    runs: list[list[tuple[float, float]]] = [[]]
    for place, value in points:
        if value is None:
            runs.append([])
        else:
            runs[-1].append((place, value))
    return [run * 2 if len(run) == 1 else run for run in runs if run]


def _round_up(value: float) -> float:
    """To 1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value * 0.999)


def _seconds(value: float) -> str:
    if value >= 7200:
        return f"{value / 3600:.1f} h"
    return f"{value / 60:.1f} min" if value >= 120 else f"{value:.0f} s"
