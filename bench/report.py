"""The table and the JSON; `bench.picture` draws."""

import os
import platform
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

from bench import picture
from bench.harness import GENERATOR_CORE, SERVER_CORE
from bench.results import Figure, Outcome, Target

FOLDER = Path(__file__).parent / "results"
WIDTH = 150


def machine() -> dict[str, Any]:
    names = [line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    return {
        "processor": names[0] if names else platform.processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "server core": SERVER_CORE,
        "generator core": GENERATOR_CORE,
        "load before": round(os.getloadavg()[0], 2),
    }


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def print_table(found: Sequence[Outcome], facts: Mapping[str, Any]) -> None:
    console = Console(width=WIDTH)
    console.print(_figures(found))
    console.print(_targets(found))
    for outcome in found:
        for note in outcome.notes:
            console.print(f"· {note}", highlight=False)
        if outcome.failure:
            console.print(f"[red]FAILED[/] {outcome.failure}", highlight=False)
    console.print(", ".join(f"{name}: {value}" for name, value in facts.items()), highlight=False)


def _figures(found: Sequence[Outcome]) -> Table:
    table = Table(title="Figures (shares of a core: medians over the windows)", title_justify="left")
    for heading in ("what", "median", "min – max", "unit", "server", "+ others", "generator", "+ others"):
        table.add_column(heading, justify="left" if heading in ("what", "unit") else "right")
    for outcome in found:
        for figure in outcome.figures:
            table.add_row(figure.name, number(figure.median), _spread(figure.spread), figure.unit, *_shares(figure))
    return table


def _shares(figure: Figure) -> tuple[str, ...]:
    usage = figure.usage
    if usage is None:
        return ("",) * 4
    return tuple(f"{share:.0%}" for share in (usage.server, usage.others, usage.generator, usage.generator_others))


def _targets(found: Sequence[Outcome]) -> Table:
    table = Table(title="Targets", title_justify="left")
    for heading in ("#", "what", "value", "min – max", "target", ""):
        table.add_column(heading, justify="right" if heading in ("#", "value", "min – max") else "left")
    for target in in_order(found):
        verdict = "[green]met[/]" if target.met else "[red]MISSED[/]"
        spread = "" if target.spread is None else _spread(target.spread)
        value = f"{number(target.value)} {target.unit}"
        table.add_row(target.number, target.what, value, spread, wanted(target), verdict)
    return table


def in_order(found: Sequence[Outcome]) -> list[Target]:
    return sorted((target for outcome in found for target in outcome.targets), key=lambda target: int(target.number))


def wanted(target: Target) -> str:
    return f"{'≥' if target.at_least else '≤'} {number(target.limit)} {target.unit}"


def number(value: float) -> str:
    if value != value:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _spread(spread: tuple[float, float]) -> str:
    low, high = spread
    return "" if low == high else f"{number(low)} – {number(high)}"


def write(found: Sequence[Outcome], facts: Mapping[str, Any]) -> Path:
    """JSON and a picture; answers where the JSON is."""
    FOLDER.mkdir(exist_ok=True)
    targets = in_order(found)
    told = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": facts,
        "figures": [
            {"name": f.name, "unit": f.unit, "values": f.values, "shares": f.usage and asdict(f.usage)}
            for outcome in found
            for f in outcome.figures
        ],
        "targets": [
            {
                "number": t.number, "what": t.what, "value": t.value, "unit": t.unit, "spread": t.spread,
                "wanted": wanted(t), "met": t.met,
            }
            for t in targets
        ],
        "notes": [note for outcome in found for note in outcome.notes],
        "failures": [outcome.failure for outcome in found if outcome.failure],
    }  # fmt: skip
    path = FOLDER / "latest.json"
    path.write_bytes(orjson.dumps(told, option=orjson.OPT_INDENT_2))
    labels = [f"{number(t.value)} {t.unit}  (target {wanted(t)})" for t in targets]
    picture.draw(FOLDER / "latest.png", targets, labels, facts)
    return path
