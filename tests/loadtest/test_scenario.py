"""Scenarios are read whole, or refused with the place, what was expected and what came."""

import json
from pathlib import Path
from typing import Any

import pytest

from loadtest import scenario
from loadtest.scenario import ScenarioProblem, load, parse

GOOD: dict[str, Any] = {"title": "t", "phases": [{"seconds": 1, "rate": 1}], "mix": {"post": 1}}


@pytest.mark.parametrize("name", scenario.shipped())
def test_what_is_shipped_can_be_run(name: str) -> None:
    found = load(name)
    assert found.description
    assert found.seconds <= 600


def test_there_is_one_for_each_of_these() -> None:
    assert set(scenario.shipped()) == {"agents", "chat", "fan-out", "reconnects", "soak", "uploads"}


def test_a_file_is_read_as_its_name_says(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(GOOD))
    (tmp_path / "a.toml").write_text('title = "t"\nmix = {post = 1}\n[[phases]]\nseconds = 1\nrate = 1\n')
    assert load(str(tmp_path / "a.json")) == load(str(tmp_path / "a.toml"))
    assert load(str(tmp_path / "a.json")).phases[0].rate == [1, 1]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"phases": [{"seconds": -1, "rate": 1}]}, "/phases/0/seconds: expected greater than 0; came -1"),
        ({"phases": [{"seconds": 1, "rate": "a"}]}, "/phases/0/rate: expected a number, or two"),
        (
            {"phases": [{"seconds": 1, "rate": [1, -2]}]},
            "/phases/0/rate/1: expected greater than or equal to 0; came -2",
        ),
        ({"phases": []}, "/phases: expected List should have at least 1 item"),
        ({"mix": {"posts": 1}}, "/mix/posts: expected 'post', 'post_rest'"),
        ({"mix": {"post": 0}}, "/mix/post: expected greater than 0; came 0"),
        ({"speed": 1}, "/speed: there is no such field"),
        ({"title": None}, "/title: expected a valid string; came null"),
        ({"population": {"users": 3, "members": 4}}, "/population: expected at most as many members as users, 3"),
        (
            {"population": {"users": 2, "members": 2, "threads": 101}},
            "/population: expected at most 100 threads for each user",
        ),
    ],
)
def test_a_fault_is_named_by_its_place(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ScenarioProblem) as caught:
        parse("x.json", json.dumps(GOOD | changed), is_json=True)
    assert str(caught.value).startswith(f"x.json: {said}")


@pytest.mark.parametrize("weight", ["inf", "nan", "1e308"])
def test_weights_have_a_sum(weight: str) -> None:
    with pytest.raises(ScenarioProblem, match="x: /mix/post: expected"):
        parse("x", f'title = "t"\nmix = {{post = {weight}}}\n[[phases]]\nseconds = 1\nrate = 1', is_json=False)


def test_a_field_that_is_missing() -> None:
    with pytest.raises(ScenarioProblem, match="/title: expected, but it is not there"):
        parse("x", "mix = {post = 1}\n[[phases]]\nseconds = 1\nrate = 1", is_json=False)


def test_many_faults_are_counted() -> None:
    with pytest.raises(ScenarioProblem, match="and 3 more"):
        parse("x.json", json.dumps(GOOD | {f"field{n}": 1 for n in range(8)}), is_json=True)


def test_what_is_no_scenario_at_all(tmp_path: Path) -> None:
    with pytest.raises(ScenarioProblem, match=r"x: expected TOML: .*line 1"):
        parse("x", "a = = 1", is_json=False)
    with pytest.raises(ScenarioProblem, match=r"x: expected JSON"):
        parse("x", "{", is_json=True)
    with pytest.raises(ScenarioProblem, match=r"expected a file .* or one of agents, chat"):
        load(str(tmp_path / "absent.toml"))
    for text, is_json in (("[" * 100_000, True), ("a = " + "[" * 100_000, False)):
        with pytest.raises(ScenarioProblem, match="x: expected"):
            parse("x", text, is_json=is_json)
    (tmp_path / "b.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ScenarioProblem, match="expected text in UTF-8"):
        load(str(tmp_path / "b.toml"))


def test_held_it_has_one_level() -> None:
    made = load("chat")
    assert [(phase.seconds, phase.rate) for phase in made.lasting(60).phases] == [(60, [50, 50])]
    assert [(phase.seconds, phase.rate) for phase in made.lasting(60, 7).phases] == [(60, [7, 7])]
