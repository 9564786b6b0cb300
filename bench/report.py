"""The table, the JSON and the picture."""

import os
import platform
import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

from bench.processes import GENERATOR_CORE, SERVER_CORE
from bench.results import Outcome, Target

FOLDER = Path(__file__).parent / "results"


def machine() -> dict[str, Any]:
    names = [line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    return {
        "processor": names[0] if names else platform.processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "server_core": SERVER_CORE,
        "generator_core": GENERATOR_CORE,
        "load_before": os.getloadavg()[0],
    }


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def print_table(found: Mapping[str, Outcome], facts: Mapping[str, Any]) -> None:
    console = Console(width=130)
    figures = Table("what", "median", "least", "most", "unit", title="Figures", title_justify="left")
    for outcome in found.values():
        for figure in outcome.figures:
            low, high = figure.spread
            figures.add_row(figure.name, _number(figure.median), _number(low), _number(high), figure.unit)
    console.print(figures)
    targets = Table("#", "target", "value", "wanted", "", title="Targets", title_justify="left")
    for target in _targets(found):
        verdict = "[green]met[/]" if target.met else "[red]MISSED[/]"
        targets.add_row(target.number, target.what, f"{_number(target.value)} {target.unit}", _wanted(target), verdict)
    console.print(targets)
    for outcome in found.values():
        for note in outcome.notes:
            console.print(note)
    console.print(" · ".join(f"{name} {value}" for name, value in facts.items()))


def _targets(found: Mapping[str, Outcome]) -> list[Target]:
    return sorted((t for o in found.values() for t in o.targets), key=lambda target: int(target.number))


def _wanted(target: Target) -> str:
    return f"{'≥' if target.at_least else '≤'} {_number(target.limit)} {target.unit}"


def _number(value: float) -> str:
    if value != value:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def write(found: Mapping[str, Outcome], facts: Mapping[str, Any]) -> Path:
    FOLDER.mkdir(exist_ok=True)
    told = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": facts,
        "figures": [
            {"name": f.name, "unit": f.unit, "values": f.values} for o in found.values() for f in o.figures
        ],
        "targets": [
            {"number": t.number, "what": t.what, "value": t.value, "unit": t.unit, "wanted": _wanted(t), "met": t.met}
            for t in _targets(found)
        ],
        "notes": [note for outcome in found.values() for note in outcome.notes],
    }  # fmt: skip
    path = FOLDER / "latest.json"
    path.write_bytes(orjson.dumps(told, option=orjson.OPT_INDENT_2))
    _draw(_targets(found), facts)
    return path


def _draw(targets: list[Target], facts: Mapping[str, Any]) -> None:
    """One bar a target: how far it is reached, 1 being the target itself."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    reached = [t.value / t.limit if t.at_least else t.limit / max(t.value, 1e-9) for t in targets]
    shown = [min(share, 4.0) for share in reached]
    figure, axes = pyplot.subplots(figsize=(11, 0.42 * len(targets) + 1.6))
    colours = ["#2a9d6f" if t.met else "#c8553d" for t in targets]
    axes.barh(range(len(targets)), shown, color=colours, height=0.62)
    axes.axvline(1.0, color="#333333", linewidth=1)
    axes.set_yticks(range(len(targets)), [f"{t.number}  {t.what}" for t in targets], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(0, 5.2)
    axes.set_xlabel("how far each target is reached (1 = the target; cut at 4)", fontsize=8)
    for row, (target, share) in enumerate(zip(targets, shown, strict=True)):
        text = f"{_number(target.value)} {target.unit}  ({_wanted(target)})"
        axes.text(share + 0.05, row, text, va="center", fontsize=7.5)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.set_title(f"{facts['processor']}, {facts['cores']} cores, Python {facts['python']}", fontsize=9, loc="left")
    figure.tight_layout()
    figure.savefig(FOLDER / "latest.png", dpi=140)
    pyplot.close(figure)
