"""Conditional downloads, as RFC 9110 orders them."""

import pytest

from server.files.downloads.conditions import Verdict, http_date, judge, may_send_ranges

TAG = "ab12"
MADE = 1_796_000_000_123
"""Milliseconds; HTTP's times have seconds."""
THEN, BEFORE, AFTER = http_date(MADE), http_date(MADE - 1000), http_date(MADE + 1000)


@pytest.mark.parametrize(
    ("headers", "verdict"),
    [
        ({}, Verdict.SEND),
        ({"If-None-Match": '"ab12"'}, Verdict.NOT_MODIFIED),
        ({"If-None-Match": 'W/"ab12", "cd34"'}, Verdict.NOT_MODIFIED),
        ({"If-None-Match": "*"}, Verdict.NOT_MODIFIED),
        ({"If-None-Match": '"cd34"'}, Verdict.SEND),
        ({"If-None-Match": '"cd34"', "If-Modified-Since": THEN}, Verdict.SEND),
        ({"If-Modified-Since": THEN}, Verdict.NOT_MODIFIED),
        ({"If-Modified-Since": AFTER}, Verdict.NOT_MODIFIED),
        ({"If-Modified-Since": BEFORE}, Verdict.SEND),
        ({"If-Modified-Since": "yesterday"}, Verdict.SEND),
        ({"If-Match": '"ab12"'}, Verdict.SEND),
        ({"If-Match": '"cd34"'}, Verdict.FAILED),
        ({"If-Match": '"ab12"', "If-Unmodified-Since": BEFORE}, Verdict.SEND),
        ({"If-Unmodified-Since": BEFORE}, Verdict.FAILED),
        ({"If-Unmodified-Since": THEN}, Verdict.SEND),
    ],
)
def test_conditions(headers: dict[str, str], verdict: Verdict) -> None:
    assert judge(headers, TAG, MADE) is verdict


@pytest.mark.parametrize(
    ("if_range", "may"),
    [
        (None, True),
        ('"ab12"', True),
        ('W/"ab12"', False),
        ('"cd34"', False),
        (THEN, True),
        (AFTER, False),
        ("x", False),
    ],
)
def test_a_part_is_sent_only_of_what_the_client_has(if_range: str | None, may: bool) -> None:
    assert may_send_ranges(if_range, TAG, MADE) is may
