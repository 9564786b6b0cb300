"""`xp bench --scenario`: what is refused, in one sentence, before anything is sent."""

import json
from pathlib import Path

import pytest

from actors import limits
from loadtest import scenario
from tests.cli.conftest import Xp

URL = "http://127.0.0.1:1"


def test_the_scenarios_are_listed(xp: Xp) -> None:
    ran = xp("bench", "--list")
    assert ran.code == 0
    assert all(name in ran.out for name in scenario.shipped())


@pytest.mark.parametrize("url", ["ftp://127.0.0.1", "127.0.0.1:8787", "http://", "http://[::1", "http://a:b"])
def test_what_is_no_url(url: str, xp: Xp) -> None:
    expected = f"--url: expected http://HOST[:PORT] or https://HOST[:PORT]; got {url}."
    assert xp("bench", "--scenario", "chat", "--url", url).sentence == expected


@pytest.mark.parametrize("host", ["192.0.2.1", "[2001:db8::1]"])
def test_another_machine_is_loaded_only_where_that_is_said(host: str, xp: Xp) -> None:
    said = xp("bench", "--scenario", "chat", "--url", f"http://{host}").sentence
    assert "is not this machine" in said
    assert "--yes-this-server" in said


def test_a_name_that_leads_nowhere(xp: Xp) -> None:
    for host in ("nowhere.invalid", "a..b"):
        assert xp("bench", "--scenario", "chat", "--url", f"http://{host}").sentence.startswith(f"{host}: ")


def test_a_scenario_with_a_fault(xp: Xp, tmp_path: Path) -> None:
    file = tmp_path / "s.json"
    file.write_text(json.dumps({"title": "t", "phases": [{"seconds": 0, "rate": 1}], "mix": {"post": 1}}))
    said = xp("bench", "--scenario", file, "--url", URL).sentence
    assert said == f"{file}: /phases/0/seconds: expected greater than 0; came 0."


def test_a_server_that_is_away(xp: Xp) -> None:
    said = xp("bench", "--scenario", "chat", "--url", URL, "--token", "x.y.z").sentence
    assert said.startswith(f"{URL}: the server does not answer (")


def test_without_a_secret_there_is_no_token(xp: Xp) -> None:
    said = xp("bench", "--scenario", "chat", "--url", URL, JWT_SECRET=None).sentence
    assert "--data-dir" in said


def test_no_server_uses_the_folder(xp: Xp) -> None:
    assert "No server uses" in xp("bench", "--scenario", "chat").sentence


def test_a_rate_beyond_what_one_process_makes(xp: Xp) -> None:
    said = xp("bench", "--scenario", "chat", "--url", URL, "--rate", limits.LOAD_RATE + 1).sentence
    assert said == "--rate: expected at most 10,000; got 10,001."


@pytest.mark.parametrize("command", [("bench", "--scenario", "chat", "--rate"), ("drill", "--seconds")])
def test_what_is_no_number_is_in_no_range(xp: Xp, command: tuple[str, ...]) -> None:
    refused = xp(*command, "nan")
    assert refused.code == 2
    assert "'nan' is no number" in refused.err


def test_a_soak_of_months(xp: Xp) -> None:
    said = xp("bench", "--scenario", "chat", "--url", URL, "--for", "60d").sentence
    assert said == "--for: expected at most 7d; got 5,184,000 s."


@pytest.mark.parametrize("option", ["--html", "--report"])
def test_a_report_that_could_not_be_written_in_the_end(option: str, xp: Xp, tmp_path: Path) -> None:
    path = tmp_path / "none" / "report"
    said = xp("bench", "--scenario", "chat", "--url", URL, option, path).sentence
    assert said == f"{path}: the report cannot be written; is its folder there, and may you write in it?"


def test_a_server_whose_metrics_may_not_be_read_is_not_soaked(xp: Xp) -> None:
    said = xp("bench", "--scenario", "chat", "--url", URL, "--for", "4h", "--token", "x.y.z").sentence
    assert said.startswith(f"A soak takes samples, and {URL}/metrics: ")
    assert "METRICS_TOKEN" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--for", "1h"], "add --scenario"),
        (["--scenario", "chat", "extra"], "got 'extra'"),
        (["--scenario", "chat", "--for", "soon"], "15m, 12h or 30d"),
    ],
)
def test_wrong_usage(arguments: list[str], said: str, xp: Xp) -> None:
    ran = xp("bench", *arguments)
    assert ran.code == 2
    assert said in ran.err
