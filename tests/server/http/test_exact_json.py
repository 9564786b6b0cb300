"""JSON is kept as it came or refused; nothing of it changes in silence."""

import json
import time
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.http.exact_json import Inexact, parse
from tests.serving import Client

KEPT = [
    '{"a":18446744073709551615,"b":-9223372036854775808}',
    '{"a":[1e300,-1e19,18446744073709551615.0],"b":"18446744073709551617: as text"}',
    '{"a":{"a":{"a":1}},"b":[{"a":1},{"a":"a:b"}]}',
    '{"a":-0.0,"b":0,"c":null,"d":[true,[],{}]}',
    '["::",{"":"\\u0000"}]',
]
REFUSED = [
    '{"n":18446744073709551616}',
    '{"n":18446744073709551617}',
    '{"n":-9223372036854775809}',
    '[{"a":[100000000000000000000000000000000000000]}]',
    "18446744073709551616",
    '{"a":1,"a":1}',
    '{"x":"::","a":[{"b":1,"b":2}]}',
    '{"a":1,"\\u0061":2}',
]


@pytest.mark.parametrize("text", KEPT)
@pytest.mark.parametrize("form", [str, str.encode])
def test_what_can_be_kept_is_kept(text: str, form: Any) -> None:
    found = parse(form(text))
    assert found == json.loads(text)
    assert parse(orjson.dumps(found)) == found


@pytest.mark.parametrize("text", REFUSED)
@pytest.mark.parametrize("form", [str, str.encode])
def test_what_cannot_be_kept_is_refused(text: str, form: Any) -> None:
    with pytest.raises(Inexact, match=r"64 bits|comes twice"):
        parse(form(text))


@pytest.mark.parametrize("text", ["NaN", '{"a":Infinity}', "[-Infinity]", "1e400", "nan", "{a:1}", "01", "+1", "1."])
def test_what_is_no_json_is_none(text: str) -> None:
    with pytest.raises(orjson.JSONDecodeError):
        parse(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON.filter(lambda value: "Infinity" not in json.dumps(value)))
def test_either_it_is_the_same_or_it_is_refused(value: Any) -> None:
    try:
        found = parse(json.dumps(value))
    except Inexact:
        return
    assert repr(found) == repr(value)


@pytest.mark.parametrize(
    "text",
    [
        f"[{','.join(['1'] * 120_000)},1e30]",
        f'{{{",".join(f"{chr(34)}{number}{chr(34)}:1" for number in range(40_000))},"x":"::"}}',
        f'{{"x":"::","y":{"[" * 1000}{"]" * 1000}}}',
        f'{{"x":"::","y":{"[" * 900}1e30{"]" * 900}}}',
    ],
)
def test_no_text_takes_long(text: str) -> None:
    started = time.process_time()
    parse(text)
    assert time.process_time() - started < 1.0


@pytest.mark.parametrize("text", REFUSED[:4] + REFUSED[5:])
@pytest.mark.parametrize("field", ["metadata", "blocks"])
async def test_a_request_with_such_a_field_is_refused(alice: Client, text: str, field: str) -> None:
    thread = await alice.thread()
    value = f'[{{"type":"x-t","x":{text}}}]' if field == "blocks" else f'{{"x":{text}}}'
    body = f'{{"content":"Hi","{field}":{value}}}'
    path = f"/api/v1/threads/{thread['id']}/messages"
    answer = await alice.request("POST", path, data=body, headers={"Content-Type": "application/json"})
    assert answer.status == 400
    assert "cannot be stored unchanged" in answer.error["detail"]


async def test_a_threads_memory_is_kept_as_it_came_too(alice: Client) -> None:
    thread = await alice.thread()
    for method in ("PUT", "PATCH"):
        answer = await alice.request(
            method, f"/api/v1/threads/{thread['id']}/memory", data='{"memory":{"n":18446744073709551617}}',
            headers={"Content-Type": "application/json"},
        )  # fmt: skip
        assert answer.status == 400
