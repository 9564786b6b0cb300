"""Hunks: all of them are the patch, any choice can be applied, and others' changes stay or are in conflict."""

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors import limits
from actors.resources.artifacts.json_diff import diff, same
from actors.resources.artifacts.json_patch import patched
from actors.resources.proposals.hunks import applied, hunks, merged, standings

LINES = st.lists(st.sampled_from(["a", "b", "", "c d"]), max_size=6).map("\n".join)
VALUES: Any = st.recursive(
    st.none() | st.booleans() | st.sampled_from([0, 1, 1.0, -0.5]) | LINES,
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.sampled_from(["id", "type", "text", "a"]), inner, max_size=4)
    ),
    max_leaves=12,
)
SECTIONS = st.lists(
    st.fixed_dictionaries({"id": st.sampled_from("xyz"), "text": LINES}, optional={"title": st.sampled_from("tu")}),
    max_size=5,
).map(lambda sections: {"sections": sections})


@given(VALUES | SECTIONS, VALUES | SECTIONS)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_all_hunks_are_the_patch(before: Any, after: Any) -> None:
    patch = diff(before, after)
    assert same(applied(before, hunks(before, after)), patched(before, patch))
    assert same(merged(before, before, hunks(before, after)), after)


@given(SECTIONS, SECTIONS, st.data())
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_choice_can_be_applied(before: Any, after: Any, data: Any) -> None:
    found = hunks(before, after)
    chosen = [hunk for hunk in found if data.draw(st.booleans())]
    rest = [hunk for hunk in found if hunk not in chosen]
    result = _json(applied(before, chosen))
    assert all(_shown(hunk.after) in result for hunk in chosen)
    assert standings(before, before, rest) == ("clean",) * len(rest)
    assert same(applied(before, [*rest, *chosen]), after)


@given(SECTIONS, SECTIONS, SECTIONS)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_clean_is_applied_beside_what_others_changed(base: Any, mine: Any, theirs: Any) -> None:
    proposed = hunks(base, mine)
    clean = [h for h, standing in zip(proposed, standings(base, theirs, proposed), strict=True) if standing == "clean"]
    result = _json(merged(base, theirs, clean))
    assert same(merged(base, theirs, ()), theirs)
    assert all(_shown(hunk.after) in result for hunk in (*clean, *hunks(base, theirs)))


def _json(content: Any) -> str:
    return json.dumps(content, separators=(",", ":"), sort_keys=True)


def _shown(items: tuple[Any, ...]) -> str:
    """Of a hunk, as it is within the JSON of the content."""
    if all(isinstance(item, str) for item in items):
        return _json("".join(items))[1:-1]
    return ",".join(map(_json, items))


def test_lines_that_others_did_not_touch_are_rebased() -> None:
    base = "one\ntwo\nthree\nfour\n"
    proposed = hunks(base, "one\nTWO\nthree\nfour\nfive\n")
    assert [(hunk.kind, hunk.pointer, hunk.start, hunk.before, hunk.after) for hunk in proposed] == [
        ("lines", "", 1, ("two\n",), ("TWO\n",)),
        ("lines", "", 4, (), ("five\n",)),
    ]
    newest = "zero\none\ntwo\nthree\n4\n"
    assert standings(base, newest, proposed) == ("clean", "clean")
    assert merged(base, newest, proposed) == "zero\none\nTWO\nthree\n4\nfive\n"
    assert standings(base, "one\n2\nthree\nfour\n", proposed) == ("conflict", "clean")
    assert standings(base, "one\nTWO\nthree\nfour\n", proposed) == ("done", "clean")


def test_sections_are_found_where_they_are_now() -> None:
    base = {"sections": [{"id": "a", "text": "A"}, {"id": "b", "text": "B"}]}
    mine = {"sections": [{"id": "a", "text": "A"}, {"id": "b", "text": "Better"}, {"id": "c", "text": "C"}]}
    proposed = hunks(base["sections"], mine["sections"][:2]) + hunks(base, {**base, "abstract": "New"})
    assert [hunk.pointer for hunk in proposed] == ["/1/text", "/abstract"]
    newest = {"sections": [{"id": "new", "text": "N"}, *base["sections"], {"id": "z", "text": "Z"}]}
    added = hunks(base, {"sections": [*base["sections"], {"id": "c", "text": "C"}]})
    assert standings(base, newest, added) == ("clean",)
    ids = [section["id"] for section in merged(base, newest, added)["sections"]]
    assert ids == ["new", "a", "b", "c", "z"] or ids == ["new", "a", "b", "z", "c"]
    changed = hunks(base, {"sections": [base["sections"][0], {"id": "b", "text": "Better"}]})
    assert merged(base, newest, changed)["sections"][2] == {"id": "b", "text": "Better"}
    without = {"sections": [base["sections"][0]]}
    assert standings(base, without, changed) == ("conflict",)


def test_two_changes_of_one_value_are_in_conflict() -> None:
    base = {"title": "a", "metric": 1, "rows": [[1], [2], [3]]}
    assert standings(base, {**base, "metric": 2}, hunks(base, {**base, "metric": 3})) == ("conflict",)
    assert standings(base, {**base, "metric": 1.0}, hunks(base, {**base, "metric": 3})) == ("conflict",)
    assert standings(base, {**base, "note": 1}, hunks(base, {**base, "note": 2})) == ("conflict",)
    assert standings(base, [], hunks(base, {**base, "metric": 3})) == ("conflict",)
    rows = {**base, "rows": [[1], [9], [3]]}
    assert standings(base, {**base, "rows": [[1], [3]]}, hunks(base, rows)) == ("conflict",)


def test_a_content_that_was_rewritten_is_in_conflict_as_a_whole() -> None:
    base = {str(number): number for number in range(2 * limits.PROPOSAL_REWRITTEN)}
    newest = {name: value + 1 for name, value in base.items()}
    assert standings(base, newest, hunks(base, {**base, "x": 1})) == ("conflict",)
