"""Runs against a server: what is measured, what is left behind, and what is told when it goes wrong."""

import asyncio
import time
from pathlib import Path
from typing import Any

import orjson
import pytest

from loadtest import run as runs
from loadtest.page import page_of
from loadtest.problems import LoadProblem
from loadtest.report import report_of
from loadtest.run import Run
from loadtest.scenario import ActionName, Scenario
from loadtest.soak.samples import SERIES, Samples
from tests.serving import Server, serving
from tests.tokens import token

EVERYTHING: dict[ActionName, float] = {
    "post": 3, "post_rest": 1, "page": 1, "read": 1, "react": 1, "search": 1, "threads": 1, "stream": 1, "upload": 1,
    "reconnect": 1,
}  # fmt: skip


def scenario(seconds: float, rate: float, mix: Any, **more: Any) -> Scenario:
    known = {"title": "Test", "population": {"users": 4, "threads": 2, "members": 3}, "upload_bytes": 5_000}
    phases = [{"seconds": seconds, "rate": rate}]
    answers = {"pieces": 3, "per_second": 50, "characters": 60}
    return Scenario.model_validate({**known, "phases": phases, "mix": mix, "answers": answers, **more})


def run_of(server: Server, made: Scenario, samples: Samples | None = None, stop: asyncio.Event | None = None) -> Run:
    tokens = [token(f"load-{number}") for number in range(made.population.users)]
    return Run(server.url, tokens, made, stop or asyncio.Event(), samples)


async def test_everything_once(tmp_path: Path) -> None:
    made = scenario(1, 40, EVERYTHING, goals={"errors": 0})
    storm = made.model_copy(update={"phases": [*made.phases, made.phases[0].model_copy(update={"storm": 1.0})]})
    async with serving(tmp_path / "data", LOG_LEVEL="warning") as server:
        samples = Samples(server.url, 2.0)
        outcome = await run_of(server, storm, samples).run()
        left = await server.client("root", role="ADMIN").get("/api/v1/threads", all="true")
    report = report_of(outcome)
    assert report["errors"] == []
    assert report["requests"]["done"] >= 80
    assert set(EVERYTHING) | {"append", "complete", "download"} == report["actions"].keys()
    assert report["actions"]["reconnect"]["count"] >= 4
    found = report["subscribers"]
    assert 4 <= found.pop("reconnects") <= report["actions"]["reconnect"]["count"]
    assert found == {"count": 4, "missed": 0, "doubled": 0, "unrecovered": 0, "behind": 0}
    assert report["delivery"]["count"] > 0
    assert report["first_words"]["count"] > 0
    assert report["passed"]
    assert left.data == []
    assert report["soak"]["problem"] == ""
    assert len(report["soak"]["times"]) >= 8
    for name in SERIES:
        assert None not in report["soak"]["series"][name]["values"], name
    page = page_of(outcome, orjson.loads(orjson.dumps(report)))
    assert page.count("<svg") >= 10
    assert "<script" not in page
    assert "passed" in page


async def test_what_waits_behind_a_slow_server_is_measured(tmp_path: Path) -> None:
    """An open loop: what is due while nothing answers counts from its moment, not from when it could be sent."""
    made = scenario(1.2, 50, {"page": 1})
    async with serving(tmp_path / "data", LOG_LEVEL="warning") as server:
        run = run_of(server, made)
        loop = asyncio.get_running_loop()
        stalled = []

        def stall(at: float) -> None:
            if not stalled and at > 0.3:
                stalled.append(at)
                loop.call_soon(time.sleep, 0.5)

        outcome = await run.run(stall)
    latency = outcome.figures.latency["page"]
    assert latency.count == 60
    at_once = max((share for share, seconds in latency.curve() if seconds <= 0.1), default=0.0)
    assert (1 - at_once) * latency.count >= 15


async def test_refusals_are_counted_by_their_codes(tmp_path: Path) -> None:
    made = scenario(1, 60, {"post": 1, "post_rest": 1}, goals={"errors": 0.001})
    async with serving(tmp_path / "data", RATE_LIMITS="on", RATE_WRITE="1/s:20", LOG_LEVEL="warning") as server:
        tokens = [token("load-one")]
        outcome = await Run(server.url, tokens, made, asyncio.Event()).run()
    report = report_of(outcome)
    found = {(each["action"], each["code"]): each["count"] for each in report["errors"]}
    assert set(found) == {("post", "rate_limited"), ("post_rest", "rate_limited")}
    assert sum(found.values()) + report["requests"]["done"] == 60
    assert not report["passed"]


async def test_a_run_whose_server_was_away_is_not_passed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was measured that could be held against the goals, and nobody can say what subscribers lack."""
    async with serving(tmp_path / "data", LOG_LEVEL="warning") as server:
        run = run_of(server, scenario(0.5, 40, {"post_rest": 1}, goals={"p95_ms": 1000}))

        prepare = run._crowd.prepare

        async def and_away() -> None:
            await prepare()
            for api in run._crowd.apis:
                api.url = "http://127.0.0.1:1"

        monkeypatch.setattr(run._crowd, "prepare", and_away)
        report = report_of(await run.run())
    failed = {verdict["what"] for verdict in report["verdicts"] if not verdict["passed"]}
    assert failed == {"post_rest p95 in ms", "subscribers behind"}
    assert not report["passed"]


async def test_stopped_it_reports_what_it_has_and_removes_its_threads(tmp_path: Path) -> None:
    stop = asyncio.Event()
    async with serving(tmp_path / "data", LOG_LEVEL="warning") as server:
        outcome = await run_of(server, scenario(600, 50, {"post": 1}), stop=stop).run(
            lambda at: stop.set() if at > 0.3 else None
        )
        left = await server.client("root", role="ADMIN").get("/api/v1/threads", all="true")
    assert outcome.interrupted
    assert 10 <= outcome.figures.counts[0] <= 40
    assert left.data == []


async def test_beyond_what_may_be_in_flight_nothing_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs.limits, "LOAD_IN_FLIGHT", 0)
    async with serving(tmp_path / "data", LOG_LEVEL="warning") as server:
        outcome = await run_of(server, scenario(0.2, 50, {"post": 1})).run()
    assert outcome.figures.errors == {("post", "not_started"): 10}


async def test_a_token_that_is_refused(tmp_path: Path) -> None:
    async with serving(tmp_path / "data", LOG_LEVEL="warning") as server:
        with pytest.raises(LoadProblem, match=r"the server refuses the token: .*three parts"):
            await Run(server.url, ["abc"], scenario(1, 1, {"post": 1}), asyncio.Event()).run()


async def test_a_server_that_is_away() -> None:
    with pytest.raises(LoadProblem, match=r"http://127.0.0.1:1: the server does not answer"):
        await Run("http://127.0.0.1:1", [token("a")], scenario(1, 1, {"post": 1}), asyncio.Event()).run()
