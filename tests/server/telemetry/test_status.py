"""The status of the server: health with since when, figures of the last hour, service levels; as JSON and as a page."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from actors.measures import SECONDS
from server.telemetry.status import figures
from server.telemetry.status.charts import chart, shown
from server.telemetry.status.figures import Series, levels, series
from server.telemetry.status.history import Finding, History
from server.telemetry.status.samples import Sample, quantile, share_above
from tests.builders import until_asked
from tests.serving import Client, Server, serving

STATUS = "/api/v1/admin/status"
NONE = (0,) * (len(SECONDS) + 1)


def counted(**by_bound: int) -> tuple[int, ...]:
    """`b0_1=3`: three observations in the bucket up to 0.1 s."""
    found = {float(name[1:].replace("_", ".")): count for name, count in by_bound.items()}
    return tuple(found.get(bound, 0) for bound in (*SECONDS, 999.0))


def at(seconds: float, **more: Any) -> Sample:
    blank = {
        "operations": NONE, "errors": 0, "commits": NONE, "lags": NONE, "events": 0, "sent_bytes": 0, "connections": 0,
        "memory": 0, "cpu": 0.0, "is_healthy": True,
    }  # fmt: skip
    return Sample(at=seconds, **(blank | more))


# Rules


def test_quantiles_are_as_exact_as_the_buckets() -> None:
    assert quantile(NONE, 0.5) is None
    assert quantile(counted(b0_1=10), 0.5) == pytest.approx(0.075)
    assert quantile(counted(b0_01=90, b1_0=10), 0.95) == pytest.approx(0.75)
    assert quantile(counted(b999=1), 0.5) == SECONDS[-1]
    assert share_above(counted(b0_1=3, b0_2=1), 0.1) == 0.25
    assert share_above(NONE, 0.1) == 0


def test_series_are_of_what_happened_in_between() -> None:
    found = {
        each.name: each.values
        for each in series([
            at(0, operations=counted(b0_1=5), connections=1),
            at(10, operations=counted(b0_1=25), errors=1, connections=3, events=50, cpu=2.5),
            at(20, operations=counted(b0_1=25), errors=1, connections=2, events=50, cpu=2.5),
        ])
    }  # fmt: skip
    assert found["operations"] == (2.0, 0.0)
    assert found["p50"] == (pytest.approx(0.075), None)
    assert found["errors"] == (5.0, None)
    assert (found["connections"], found["events"], found["cpu"]) == ((3.0, 2.0), (5.0, 0.0), (25.0, 0.0))


def test_levels_and_their_budgets() -> None:
    assert levels([at(0)]) == []
    fine = {level.name: level for level in levels([at(0), at(10, operations=counted(b0_05=1000), errors=0)])}
    assert all(level.is_met and level.budget_left == 1 for level in fine.values())
    bad = [at(0), at(10, operations=counted(b0_05=900, b0_5=100), errors=3, is_healthy=False)]
    found = {level.name: level for level in levels(bad)}
    assert [found[name].is_met for name in ("p50", "p95", "errors", "availability")] == [True, False, False, False]
    assert found["p95"].budget_left == pytest.approx(-1)
    assert found["errors"].budget_left == pytest.approx(-2)
    assert (found["errors"].value, found["availability"].value) == (pytest.approx(0.3), 50.0)
    idle = {level.name: level for level in levels([at(0), at(10)])}
    assert (idle["p50"].value, idle["errors"].value, idle["p50"].is_met) == (None, None, True)


async def test_since_when_a_part_fails() -> None:
    history, reason = History(), [None, "the disk is full", "it is still full", None]
    times = []
    history.start(lambda healthy: at(0, is_healthy=healthy), lambda: [Finding("database", True, reason[0])])
    for _ in range(4):
        history.refresh()
        part = history.parts["database"]
        assert part.finding.reason == reason[0]
        assert history.is_healthy == (reason[0] is None)
        times.append(part.since)
        reason.pop(0) if len(reason) > 1 else None
    history.stop()
    assert times[0] < times[1] == times[2] < times[3]


def test_a_chart_is_an_image_with_words() -> None:
    found = ElementTree.fromstring(chart(Series("x", "Title & more", "s", (0.1, None, 0.2, 0.05)), 10))
    title, *lines = list(found)
    assert title.text == "Title & more: now 50 ms, at most 200 ms"
    assert len(lines) == 2
    numbers = [float(number) for line in lines for number in re.split("[ ,]", line.attrib["points"])]
    assert all(0 <= number <= 240 for number in numbers)
    assert ElementTree.fromstring(chart(Series("x", "None", "s", ()), 10))[0].text == "None: now –, at most 1.0 s"


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "s", "–"), (0.0123, "s", "12.3 ms"), (2.5, "s", "2.5 s"), (0, "s", "0 ms"), (12345.6, "/s", "12,346 /s"),
        (0.05, "%", "0.05 %"), (3, "", "3"), (500, "B", "500 B"), (5_000_000, "B", "4.77 MiB"),
        (2e9, "B/s", "1.86 GiB/s"),
    ],
)  # fmt: skip
def test_numbers_for_people(value: float | None, unit: str, text: str) -> None:
    assert shown(value, unit) == text


# A server


@pytest.fixture
async def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Server]:
    async with serving(tmp_path / "data") as running:
        yield running


async def test_as_json(server: Server, root: Client) -> None:
    for _ in range(6):
        await root.thread()
    server.services.history.sample_now()
    found = (await root.get(STATUS)).data
    assert found["status"] == "ok"
    assert {part["name"]: part["status"] for part in found["parts"]} == dict.fromkeys(
        ("database", "server", "files", "backups"), "ok"
    )
    assert [level["name"] for level in found["levels"]] == ["p50", "p95", "errors", "availability"]
    values = {each["name"]: each["values"] for each in found["figures"]["series"]}
    assert len(found["figures"]["times"]) == len(values["operations"]) == 1
    assert values["operations"][0] > 0
    assert {"create_thread"} <= {each["operation"] for each in found["slowest"]}
    assert found["database"]["migrations"] > 19
    assert found["database"]["newest_migration"] > "0020"
    assert found["backups"]["is_scheduled"] is False
    assert found["retention"] == []


async def test_what_waits_to_be_sent(server: Server, root: Client) -> None:
    found = (await root.get(STATUS)).data["sending"]
    nothing = {"waiting": 0, "oldest_at": None, "failed_last_hour": 0}
    assert found == [{"way": way, **nothing} for way in ("web_push", "webhook")], "it sends no mail"
    server.services.history.sample_now()
    server.services.measures.webhook_attempts["dead"] += 3
    thread = await root.thread()
    made = await root.post("/api/v1/webhooks", name="w", url="https://example.com/hook", events=["message.created"])
    assert made.status == 201, made.raw
    await root.say(thread)

    async def waits() -> bool:
        (_, webhook) = (await root.get(STATUS)).data["sending"]
        return bool(webhook["waiting"])

    await until_asked(waits)
    (_, webhook) = (await root.get(STATUS)).data["sending"]
    assert (webhook["waiting"], webhook["failed_last_hour"]) == (1, 3)
    assert webhook["oldest_at"] > thread["created_at"]
    assert "<td>deliveries to webhooks</td><td>1</td>" in re.sub(r" class=[^>]*", "", await page(root))


async def test_what_fails_has_its_reason_and_its_time(server: Server, root: Client) -> None:
    server.services.backups.failing_since, server.services.backups.reason = 1, "the bucket is away"
    found = (await root.get(STATUS)).data
    part = next(part for part in found["parts"] if part["name"] == "backups")
    assert (part["status"], part["reason"], found["status"]) == ("failing", "the bucket is away", "ok")
    assert part["since"] > found["started_at"]


async def page(client: Client, status: int = 200) -> str:
    async with client.session.get(
        f"{client.url}/status", headers={"Authorization": f"Bearer {client.token}"}
    ) as answer:
        assert answer.status == status, await answer.text()
        if status == 200:
            assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
            assert answer.headers["Cache-Control"] == "no-store"
        return await answer.text()


async def test_the_page_is_for_administrators(server: Server, root: Client) -> None:
    server.services.history.sample_now()
    text = await page(root)
    for heading in ("Health", "Service levels", "The last hour", "Sending", "Slowest operations", "Server"):
        assert f"<h2>{heading}</h2>" in text
    assert text.count("<svg") == len(figures.series([at(0)]))
    assert "<script" not in text
    await page(server.client("alice"), 403)
    async with server.session.get(f"{server.url}/status") as answer:
        assert answer.status == 401


async def test_a_key_without_the_right_to_administer_sees_no_more_than_others(server: Server, root: Client) -> None:
    key = (await root.post("/api/v1/auth/api-keys", name="k", scopes=["read"])).data["key"]
    reader = server.client("reader")
    reader.token = key
    await page(reader, 403)
    assert (await reader.get(STATUS)).status == 403


async def test_open_to_all_it_has_nothing_secret(tmp_path: Path) -> None:
    async with serving(tmp_path / "data", STATUS_PAGE="public") as server:
        root = server.client("root", role="ADMIN")
        await root.thread("A secret title")
        server.services.backups.failing_since = 1
        server.services.backups.reason = "s3://secret-bucket is away"
        server.services.history.sample_now()
        async with server.session.get(f"{server.url}/status") as answer:
            text = await answer.text()
            assert answer.status == 200
        assert "95 % of the operations within 200 ms" in text
        assert '<span class="bad">fails</span>' in text
        version = server.services.version
        for secret in ("secret", version, "create_thread", "Resident memory", "Connections", "SQLite", "0020"):
            assert secret not in text, secret
        assert "Slowest operations" in await page(root)
        assert "Slowest operations" not in await page(server.client("alice"))
        nonsense = server.client("nobody")
        nonsense.token = "nonsense"
        assert "Slowest operations" not in await page(nonsense)
