"""A content as a CRDT: it comes back as it was, any other content is reached by an edit, and edits converge."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.documents.edits import types_in
from actors.errors import Malformed
from actors.resources.artifacts.json_diff import same
from server.collab.replica import YReplica

TEXTS = st.lists(st.sampled_from(["a", "ü", "😀", "", "c d"]), max_size=5).map("\n".join)
SECTIONS = st.lists(
    st.one_of(
        st.fixed_dictionaries({"type": st.just("markdown"), "id": st.sampled_from("xyz"), "text": TEXTS}),
        st.fixed_dictionaries({
            "type": st.just("table"), "columns": st.just(["a"]),
            "rows": st.lists(st.tuples(TEXTS).map(list), max_size=4),
        }),
        st.fixed_dictionaries({
            "type": st.just("chart"), "caption": TEXTS,
            "spec": st.dictionaries(st.sampled_from("ab"), st.integers(0, 3)),
        }),
    ),
    max_size=4,
)  # fmt: skip
CONTENTS = st.fixed_dictionaries({"sections": SECTIONS}, optional={"abstract": TEXTS, "authors": st.just(["A", "B"])})


@given(CONTENTS | TEXTS, CONTENTS | TEXTS)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_content_is_reached_by_an_edit(before: Any, after: Any) -> None:
    replica = YReplica.of(before)
    assert same(replica.content(), before)
    edit = replica.towards(after)
    types_in(edit)
    assert same(replica.content(), before), "it is not applied yet"
    replica.apply(YReplica.merged([edit]))
    assert same(replica.content(), after)


@given(CONTENTS, st.lists(CONTENTS, min_size=2, max_size=4), st.randoms())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_order_of_edits_converges(base: Any, contents: list[Any], chance: Any) -> None:
    state = YReplica.of(base).whole()
    edits = [YReplica.stored(state, ()).towards(content) for content in contents]
    shuffled = chance.sample(edits, len(edits))
    one, other = YReplica.stored(state, edits), YReplica.stored(state, shuffled)
    assert same(one.content(), other.content())
    late = YReplica.stored(state, edits[:1])
    late.apply(one.missing(late.vector()))
    assert same(late.content(), one.content())


def test_what_is_no_edit_is_refused() -> None:
    replica = YReplica.of("x")
    with pytest.raises(Malformed):
        replica.apply(b"\x01\x02")
    with pytest.raises(Malformed):
        replica.missing(b"\xff")
    with pytest.raises(Malformed):
        replica.merged([b"9"])
    assert replica.content() == "x"
