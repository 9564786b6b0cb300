"""One bar a target, from the target itself to what was reached, on a logarithmic scale."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.results import Target

MET, MISSED = "#2a9d6f", "#c8553d"
LEAST, MOST = 1 / 16, 64.0
"""Ends of the scale."""


def draw(path: Path, targets: Sequence[Target], labels: Sequence[str], facts: Mapping[str, Any]) -> None:
    """`labels` say each target's value."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot
    from matplotlib.ticker import FuncFormatter, NullLocator

    rows = range(len(targets))
    shown = [_clipped(_reached(target, target.value)) for target in targets]
    figure, axes = pyplot.subplots(figsize=(13, 0.46 * len(targets) + 1.9))
    axes.set_xscale("log", base=2)
    axes.barh(
        rows, [share - 1 for share in shown], left=1, height=0.6, color=[MET if t.met else MISSED for t in targets]
    )
    for row, target in enumerate(targets):
        if target.spread is not None:
            axes.plot([_clipped(_reached(target, end)) for end in target.spread], [row, row], color="#222222", lw=1.2)
    for row, (share, label) in enumerate(zip(shown, labels, strict=True)):
        start = max([1.0, share, *(_clipped(_reached(targets[row], end)) for end in targets[row].spread or ())])
        axes.text(start * 1.08, row, label, va="center", fontsize=8.5)
    axes.axvline(1, color="#222222", lw=1)
    axes.set_yticks(rows, [f"{target.number}   {target.what}" for target in targets], fontsize=9)
    axes.set_ylim(len(targets) - 0.4, -0.6)
    ends = [_clipped(_reached(target, end)) for target in targets for end in target.spread or ()]
    axes.set_xlim(min([0.5, *shown, *ends]) * 0.9, max([4.0, *shown]) * 12)
    axes.set_xticks([2.0**power for power in range(-4, 7) if axes.get_xlim()[0] <= 2.0**power <= max([4.0, *shown])])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}×"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="#dddddd", lw=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.set_xlabel(
        "how many times better than its target: right of 1× is met (green), left is missed (red); "
        "the thin line spans the repetitions",
        fontsize=9,
    )
    axes.set_title(
        f"{facts['processor']}, {facts['cores']} cores: one for the server, one for the load. "
        f"Python {facts['python']}, SQLite {facts['sqlite']}",
        fontsize=10,
        loc="left",
    )
    figure.tight_layout()
    figure.savefig(path, dpi=130)
    pyplot.close(figure)


def _reached(target: Target, value: float) -> float:
    return value / target.limit if target.at_least else target.limit / max(value, 1e-9)


def _clipped(share: float) -> float:
    return min(max(share, LEAST), MOST)
