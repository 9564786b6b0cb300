"""`/metrics`: every metric that is declared, by bounded labels, for those who may scrape."""

import re
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse
from prometheus_client.samples import Sample

from server.telemetry.metrics import METRICS
from tests.realtime_client import raw_client
from tests.serving import Server, free_port, serving

HOSTILE = 'x"} evil{a="b\n\\'


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with serving(tmp_path / "data") as running:
        yield running


async def scraped(server: Server, path: str = "/metrics") -> list[Sample]:
    async with server.session.get(server.url + path) as response:
        assert response.status == 200, await response.text()
        return [sample for family in parse(await response.text()) for sample in family.samples]


def value(samples: Iterable[Sample], name: str, **labels: str) -> float:
    """Sum of all that have these labels."""
    return sum(s.value for s in samples if s.name == name and labels.items() <= s.labels.items())


async def test_every_metric_is_there_by_its_type(server: Server) -> None:
    async with server.session.get(server.url + "/metrics") as response:
        families = {family.name: family.type for family in parse(await response.text())}
    assert families == {metric.name: metric.kind for metric in METRICS}


async def test_openmetrics_is_answered_to_who_asks_for_it(server: Server) -> None:
    accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
    async with server.session.get(server.url + "/metrics", headers=accept) as response:
        text = await response.text()
        assert response.content_type == "application/openmetrics-text"
    assert text.endswith("# EOF\n")
    assert {family.name for family in parse_openmetrics(text)} == {metric.name for metric in METRICS}


async def test_a_message_is_counted_on_its_way(server: Server) -> None:
    alice = server.client("alice")
    thread = await alice.thread()
    async with raw_client(server.session, server.websocket_url, alice.token) as viewer:
        await viewer.subscribe(thread["id"])
        before = await scraped(server)
        await alice.say(thread)
        await viewer.ask("rpc", method="get_thread", data={"id": thread["id"]})
        await alice.get("/api/v1/threads/" + "0" * 25)
        after = await scraped(server)

    def grown(name: str, **labels: str) -> float:
        return value(after, name, **labels) - value(before, name, **labels)

    count = "xp_operation_duration_seconds_count"
    assert grown(count, operation="create_message", transport="rest") == 1
    assert grown(count, operation="get_thread", transport="websocket") == 1
    assert grown("xp_operation_errors_total", operation="get_thread", transport="rest", code="not_found") == 1
    assert grown("xp_journal_commit_seconds_count") >= 1
    assert grown("xp_events_total") == 1
    assert grown("xp_deliveries_total") == 1
    assert grown("xp_sent_bytes_total") > 0
    assert value(after, "xp_subscriptions", channel="thread") == 1
    assert value(after, "xp_connections", transport="websocket") == 1
    assert value(after, "xp_credentials_total", kind="token", result="accepted") >= 1
    assert value(after, "xp_file_bytes", file="database") > 0


async def test_buckets_are_cumulative(server: Server) -> None:
    await server.client("alice").me()
    buckets = [
        sample.value
        for sample in await scraped(server)
        if sample.name == "xp_operation_duration_seconds_bucket" and sample.labels["operation"] == "get_me"
    ]
    assert buckets == sorted(buckets)
    assert buckets[-1] == 1


async def test_hostile_names_make_no_series(server: Server) -> None:
    alice = server.client("alice")
    async with raw_client(server.session, server.websocket_url) as client:
        await client.ask("connect", token=alice.token, name=HOSTILE)
        await client.error("rpc", method=HOSTILE)
        await client.error("subscribe", channel=HOSTILE)
        await alice.get(f"/no/such/path/{HOSTILE[:3]}")
        await alice.request("BREW", "/api/v1/users/me")
        await alice.get("/api/v1/users/me", headers={"Authorization": "Bearer evil"})
        samples = await scraped(server)
    allowed = {metric.name: set(metric.labels) | {"le"} for metric in METRICS}
    for sample in samples:
        name = next(name for name in allowed if sample.name.startswith(name))
        assert set(sample.labels) <= allowed[name]
        assert not [label for label in sample.labels.values() if "evil" in label or "BREW" in label or "such" in label]
    assert value(samples, "xp_connections", sdk="other") == 1


@pytest.mark.parametrize(
    ("settings", "headers", "status"),
    [
        ({}, {}, 200),
        ({}, {"X-Forwarded-For": "203.0.113.9"}, 403),
        ({"TRUSTED_PROXIES": "127.0.0.1"}, {"X-Forwarded-For": "203.0.113.9"}, 403),
        ({"TRUSTED_PROXIES": "127.0.0.1", "METRICS": "203.0.113.0/24"}, {"X-Forwarded-For": "203.0.113.9"}, 200),
        ({"METRICS": "10.0.0.0/8"}, {}, 403),
        ({"METRICS": "10.0.0.0/8", "METRICS_TOKEN": "let-me-scrape"}, {"Authorization": "Bearer let-me-scrape"}, 200),
        ({"METRICS": "10.0.0.0/8", "METRICS_TOKEN": "let-me-scrape"}, {"Authorization": "Bearer let-me-scrapf"}, 403),
    ],
)
async def test_who_may_scrape(tmp_path: Path, settings: dict[str, str], headers: dict[str, str], status: int) -> None:
    async with (
        serving(tmp_path / "data", **settings) as server,
        server.session.get(server.url + "/metrics", headers=headers) as response,
    ):
        assert response.status == status, await response.text()


async def test_a_port_of_its_own_serves_nothing_else(tmp_path: Path) -> None:
    port = free_port()
    async with serving(tmp_path / "data", METRICS_PORT=str(port), METRICS_TOKEN="let-me-scrape") as server:
        own = f"http://127.0.0.1:{port}"
        sent = {"Authorization": "Bearer let-me-scrape"}
        statuses = []
        for url, headers in (
            (f"{own}/metrics", sent), (f"{own}/metrics", {}), (f"{own}/health", sent), (f"{server.url}/metrics", sent),
        ):  # fmt: skip
            async with server.session.get(url, headers=headers) as response:
                statuses.append(response.status)
    assert statuses == [200, 403, 404, 404]


def test_names_follow_the_convention() -> None:
    assert all(re.fullmatch(r"xp_[a-z]+(_[a-z]+)*", metric.name) for metric in METRICS)
    assert all(metric.help.endswith(".") for metric in METRICS)
