"""Alerts of the server itself: their rules, when they fire and end, and who hears of them."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from actors import limits
from server.telemetry.alerts import rules
from server.telemetry.alerts.alert import Alert, Look
from server.telemetry.alerts.rules import Rule, figure, parse
from server.telemetry.alerts.wording import RUNBOOKS, sentence
from server.telemetry.status.figures import READINGS
from tests.builders import until_asked
from tests.server.outbound.mail.mail_server import mail_server, part
from tests.server.outbound.webhooks.receiver import Receiver, receiving, status
from tests.server.telemetry.test_status import at, counted
from tests.serving import Server, serving

# Rules


def test_rules_are_about_parts_and_figures() -> None:
    assert parse(" database for 30s,  p95 > 200ms for 10m, errors > 0.1% for 5m, memory>2GiB for 1h ") == (
        Rule("database for 30s", "database", None, 30), Rule("p95 > 200ms for 10m", "p95", 0.2, 600),
        Rule("errors > 0.1% for 5m", "errors", 0.1, 300), Rule("memory>2GiB for 1h", "memory", 2.0**31, 3600),
    )  # fmt: skip
    assert parse("") == ()
    assert len(parse(rules.DEFAULT)) == 6


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("database", "expected rules such as"), ("p95 > 0.2 for 5m", "a bound of p95 in s or ms"),
        ("database > 1 for 5m", "expected one of database"), ("p95 for 5m", "expected one of database"),
        ("weather for 5m", "expected one of database"), ("memory > 5% for 5m", "in KiB or MiB or GiB"),
        ("connections > 5s for 5m", "in a plain number"), ("files for 1m, files for 1m", "each rule once"),
        ("p95 > 1s for 5d", "expected rules such as"), (", ".join(f"files for {n}s" for n in range(51)), "at most 50"),
    ],
)  # fmt: skip
def test_what_is_no_rule(text: str, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        parse(text)


def test_a_figure_is_of_the_last_minute() -> None:
    (rule,) = parse("operations > 1 for 0s")
    samples = [at(0), at(100, operations=counted(b0_1=600)), at(130, operations=counted(b0_1=600)), at(160)]
    assert figure(rule, samples[:1]) is None
    assert figure(rule, [at(0), at(50, operations=counted(b0_1=100))]) == 2.0, "as long as there is less"
    assert figure(rule, [at(0), at(100, operations=counted(b0_1=600)), at(160, operations=counted(b0_1=720))]) == 2.0


def test_every_runbook_is_there() -> None:
    page = (Path(__file__).parents[3] / "docs" / "runbooks.md").read_text().lower()
    assert RUNBOOKS.keys() <= {*rules.PARTS, *READINGS}
    assert all(f"## {name}\n" in page for name in RUNBOOKS.values())


# When

BAD, WELL = Look(reason="disk full"), Look()


def test_an_alert_fires_when_its_rule_is_broken_for_long_enough() -> None:
    alert = Alert(Rule("x", "database", None, 30))
    assert [alert.look(now, BAD) for now in (0.5, 10, 29)] == [None] * 3
    assert alert.state == "waiting"
    assert alert.look(29.5, WELL) is None
    assert alert.state == "ok", "it has to be broken all the time"
    assert alert.look(40, BAD) is None
    notice = alert.look(70, BAD)
    assert notice is not None
    assert (notice.state, notice.since, alert.state) == ("firing", 40, "firing")
    assert alert.look(75, BAD) is None, "once"


def test_an_alert_ends_when_all_is_well_for_a_while() -> None:
    alert = Alert(Rule("x", "database", None, 0))
    assert alert.look(1, BAD) is not None
    assert alert.look(2, WELL) is None
    assert alert.look(50, BAD) is None, "what comes and goes is one alert"
    assert alert.look(60, WELL) is None
    assert alert.look(60 + limits.ALERT_CLEAR_SECONDS - 1, WELL) is None
    notice = alert.look(60 + limits.ALERT_CLEAR_SECONDS, WELL)
    assert notice is not None
    assert (notice.state, notice.since, alert.state) == ("resolved", 1, "ok")
    assert sentence(notice) == "Resolved: x. Since 1970-01-01 00:00 UTC."


def test_a_figure_about_its_bound_is_one_alert() -> None:
    alert = Alert(Rule("x", "p95", 0.2, 0))
    assert alert.look(0, Look(value=0.2)) is None
    assert alert.look(1, Look(value=0.21)) is not None
    after = 2 + limits.ALERT_CLEAR_SECONDS
    assert [alert.look(now, Look(value=0.19)) for now in (2, after)] == [None, None]
    assert alert.state == "firing"
    assert [alert.look(now, Look(value=0.17)) for now in (after, 2 * after)][1] is not None
    assert alert.look(3 * after, Look(value=None)) is None, "without anything to tell by all is well"


def test_an_alert_that_goes_on_is_sent_again() -> None:
    alert = Alert(Rule("x", "database", None, 0))
    assert alert.look(1, BAD) is not None
    assert alert.look(limits.ALERT_AGAIN_SECONDS, BAD) is None
    again = alert.look(1 + limits.ALERT_AGAIN_SECONDS, BAD)
    assert again is not None
    assert (again.state, again.since) == ("firing", 1)


def test_a_clock_that_is_set_back_puts_no_alert_off() -> None:
    """A day: what counts is for how long the rule has been broken, or kept."""
    day, alert = 86_400.0, Alert(Rule("x", "database", None, 30))
    assert [alert.look(now, BAD) for now in (day, day + 20, 1000)] == [None] * 3
    fired = alert.look(1010, BAD)
    assert fired is not None
    assert fired.since == 980
    assert [alert.look(now, WELL) for now in (day, 10)] == [None] * 2
    assert alert.look(10 + limits.ALERT_CLEAR_SECONDS, WELL) is not None
    assert alert.state == "ok"


def test_between_a_clock_and_one_that_was_set_back_there_is_no_rate() -> None:
    (rule,) = parse("events > 1 for 0s")
    assert figure(rule, [at(1000, events=100), at(1010, events=110), at(500, events=120)]) is None
    assert figure(rule, [at(1000, events=100), at(500, events=120), at(560, events=180)]) == 1.0


# Who hears


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ALERT_LOOK_SECONDS", 0.05)
    monkeypatch.setattr(limits, "ALERT_RETRY_SECONDS", 0.05)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as made:
        yield made


def fail_backups(server: Server) -> None:
    server.services.backups.failing_since, server.services.backups.reason = 1, "the disk is full"


def mend_backups(server: Server) -> None:
    server.services.backups.failing_since = None


async def until_got(receiver: Receiver, count: int) -> list[Any]:
    return [orjson.loads(each.body) for each in await receiver.until(count)]


async def test_a_url_hears_of_the_begin_and_the_end(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ALERT_CLEAR_SECONDS", 0.0)
    settings = {"ALERTS": "backups for 0s", "ALERT_WEBHOOK": receiver.url, "PUBLIC_URL": "https://chat.example.com"}
    async with serving(tmp_path / "data", **settings) as server:
        fail_backups(server)
        (begun,) = await until_got(receiver, 1)
        assert {name: begun[name] for name in ("alert", "state", "server", "reason")} == {
            "alert": "backups for 0s", "state": "firing", "server": "chat.example.com", "reason": "the disk is full"
        }  # fmt: skip
        assert begun["text"].startswith("[chat.example.com] The part 'backups' of the server fails: the disk is full.")
        found = (await server.client("root", role="ADMIN").get("/api/v1/admin/status")).data["alerts"]
        assert [(each["rule"], each["state"], each["reason"]) for each in found] == [
            ("backups for 0s", "firing", "the disk is full")
        ]
        mend_backups(server)
        assert [each["state"] for each in await until_got(receiver, 2)] == ["firing", "resolved"]


async def test_a_url_that_is_away_hears_later(tmp_path: Path, receiver: Receiver) -> None:
    receiver.answer = status(503)
    async with serving(tmp_path / "data", ALERTS="backups for 0s", ALERT_WEBHOOK=receiver.url) as server:
        fail_backups(server)
        await until_got(receiver, 2)
        receiver.answer = status(204)
        count = len(receiver.got)
        await until_got(receiver, count + 1)
        keys = {each.headers["idempotency-key"] for each in receiver.got}
        assert len(keys) == 1, "of one alert all attempts have one key"


async def test_figures_fire_by_mail(tmp_path: Path) -> None:
    async with mail_server() as mails:
        settings = {
            "SMTP_URL": f"smtp+plain://chat:a%20secret@127.0.0.1:{mails.port}", "MAIL_FROM": "Chat <chat@example.com>",
            "PUBLIC_URL": "https://chat.example.com", "ALERT_MAIL": "ops@example.com",
            "ALERTS": "memory > 1MiB for 0s",
        }  # fmt: skip
        async with serving(tmp_path / "data", **settings) as server:
            server.services.history.sample_now()
            (mail,) = await mails.until(1)
    assert (mail["To"], mail["Subject"]) == ("ops@example.com", "[chat.example.com] firing: memory > 1MiB for 0s")
    assert "(more than 1" in part(mail, "plain")


async def test_system_writes_into_a_thread(tmp_path: Path) -> None:
    async with serving(tmp_path / "data") as server:
        thread = await server.client("alice").thread(title="Operators")
    settings = {"ALERTS": "backups for 0s", "ALERT_THREAD": thread["id"]}
    async with serving(tmp_path / "data", **settings) as server:
        alice = server.client("alice")
        fail_backups(server)
        found: list[Any] = []

        async def is_there() -> bool:
            found[:] = (await alice.get(f"/api/v1/threads/{thread['id']}/messages")).data
            return bool(found)

        await until_asked(is_there)
        (message,) = found
        assert (message["author"]["name"], message["type"]) == ("System", "SYSTEM")
        assert message["content"].startswith("The part 'backups' of the server fails: the disk is full.")
        assert message["metadata"] == {"alert": "backups for 0s", "state": "firing"}
