"""Alerts and dashboards ask for metrics that exist; every alert fires, and has a runbook. Uses Debian's Prometheus."""

import asyncio
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from server.telemetry.metrics import METRICS
from tests.serving import Server, free_port, serving

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy" / "prometheus" / "rules.yml"
DASHBOARDS = sorted((ROOT / "deploy" / "grafana").glob("*.json"))
RUNBOOKS = (ROOT / "docs" / "runbooks.md").read_text()
SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_count", "_sum")}
KNOWN = {
    f"{metric.name}{suffix}": {*metric.labels, "le", "instance", "job"}
    for metric in METRICS
    for suffix in SUFFIXES[metric.kind]
}
"""Series → its labels."""


def alerts() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def panels() -> Iterator[tuple[str, str]]:
    for file in DASHBOARDS:
        for panel in json.loads(file.read_text())["panels"]:
            for target in panel.get("targets", ()):
                yield panel["title"], target["expr"]


def asked(expression: str) -> str:
    """As Grafana asks it."""
    return expression.replace("$__rate_interval", "5m").replace("$instance", ".*")


EXPRESSIONS = [*((rule["alert"], rule["expr"]) for rule in alerts()), *panels()]


def test_there_are_alerts_and_panels() -> None:
    assert len(alerts()) > 15
    assert len(list(panels())) > 30


@pytest.mark.parametrize(("name", "expression"), EXPRESSIONS, ids=[name for name, _ in EXPRESSIONS])
def test_what_is_asked_for_exists(name: str, expression: str) -> None:
    bare = re.sub(r'"[^"]*"', '""', expression)
    series = set(re.findall(r"\bxp_[a-z_]+", bare))
    assert series <= KNOWN.keys(), series - KNOWN.keys()
    labels = set(re.findall(r"([a-z_]+)\s*(?:=~|!~|!=|=)\s*\"", expression))
    for chosen in re.findall(r"\bby \(([^)]*)\)", expression):
        labels |= {label.strip() for label in chosen.split(",")}
    if series:
        assert labels <= set().union(*(KNOWN[each] for each in series))


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    named = [rule["annotations"]["runbook"] for rule in alerts()]
    assert named == [f"docs/runbooks.md#{rule['alert'].lower()}" for rule in alerts()]
    assert re.findall(r"^## (.+)$", RUNBOOKS, re.MULTILINE) == [rule["alert"] for rule in alerts()]


def promtool(*arguments: str) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("promtool is in Debian's package prometheus")
    ran = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False, cwd=RULES.parent)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_every_alert_fires() -> None:
    tested = yaml.safe_load((RULES.parent / "rules_test.yml").read_text())["tests"]
    fires = [case["alertname"] for test in tested for case in test["alert_rule_test"] if case.get("exp_alerts")]
    assert sorted(fires) == sorted(rule["alert"] for rule in alerts())
    promtool("check", "rules", RULES.name)
    promtool("test", "rules", "rules_test.yml")


async def test_a_real_prometheus_answers_every_panel(tmp_path: Path) -> None:
    if shutil.which("prometheus") is None:
        pytest.skip("prometheus is Debian's package of that name")
    async with serving(tmp_path / "data") as server:
        alice = server.client("alice")
        await alice.say(await alice.thread())
        async with aiohttp.ClientSession() as session:
            port = free_port()
            prometheus = await started(tmp_path, port, server)
            try:
                await once_scraped(session, port)
                for name, expression in EXPRESSIONS:
                    answer = await query(session, port, asked(expression))
                    assert answer["status"] == "success", (name, answer)
                counted = await query(session, port, "max_over_time(xp_events_total[1m])")
                assert float(counted["data"]["result"][0]["value"][1]) >= 2
            finally:
                prometheus.terminate()
                await prometheus.wait()


async def started(folder: Path, port: int, server: Server) -> asyncio.subprocess.Process:
    target = server.url.removeprefix("http://")
    scrape = {"job_name": "experience-server", "scrape_interval": "1s", "scrape_timeout": "1s",
              "static_configs": [{"targets": [target]}]}  # fmt: skip
    configuration = folder / "prometheus.yml"
    configuration.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "scrape_configs": [scrape]}))
    return await asyncio.create_subprocess_exec(
        "prometheus", f"--config.file={configuration}", f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}", "--log.level=error",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip


async def once_scraped(session: aiohttp.ClientSession, port: int) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                if (await query(session, port, "max_over_time(xp_events_total[1m]) >= 2"))["data"]["result"]:
                    return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)  # between two looks at another process


async def query(session: aiohttp.ClientSession, port: int, expression: str) -> Any:
    async with session.get(f"http://127.0.0.1:{port}/api/v1/query", params={"query": expression}) as response:
        return await response.json()
