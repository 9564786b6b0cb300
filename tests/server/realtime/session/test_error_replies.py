"""What a client is answered where its command failed."""

import json
from typing import Any

import pykka
import pytest

from actors.errors import NotFound, StorageUnavailable
from server.realtime.protocol import codes, json_codec
from server.realtime.session.error_replies import ErrorReplies
from tests.server.realtime.session.client import Behind


@pytest.fixture
def replies(behind: Behind) -> ErrorReplies:
    services: Any = behind
    return ErrorReplies(services, json_codec, "client")  # type: ignore[arg-type]


def error(reply: bytes) -> Any:
    answer = json.loads(reply)
    assert answer["id"] == 5
    return answer["error"]


def test_the_protocol_s_own_errors_are_answered_as_they_are(replies: ErrorReplies, behind: Behind) -> None:
    refused = codes.Refused(codes.LIMIT_EXCEEDED, "limit exceeded: 1 channel")
    assert error(replies.of(5, "subscribe", refused)) == {"code": 106, "message": "limit exceeded: 1 channel"}
    assert behind.request_log.calls == []


@pytest.mark.parametrize(
    ("failure", "code", "is_temporary"),
    [
        (StorageUnavailable("The disk is full."), "storage_unavailable", True),
        (pykka.ActorDeadError("gone"), "shutting_down", True), (NotFound("thread", "t"), "not_found", False),
    ],
)  # fmt: skip
def test_what_else_fails_is_logged_by_its_code(
    replies: ErrorReplies, behind: Behind, failure: Exception, code: str, is_temporary: bool
) -> None:
    answer = error(replies.of(5, "subscribe", failure))
    assert behind.request_log.calls == [("command", "subscribe", "client", code)]
    assert answer.get("temporary", False) is is_temporary


def test_a_defect_is_in_the_log_and_not_in_the_answer(
    replies: ErrorReplies, behind: Behind, caplog: pytest.LogCaptureFixture
) -> None:
    answer = error(replies.of(5, "subscribe", RuntimeError("a defect")))
    assert "a defect" not in answer["message"]
    assert behind.request_log.calls == [("command", "subscribe", "client", "internal")]
    assert "a defect" in caplog.text
    caplog.clear()


@pytest.mark.parametrize("verb", ["rpc", "publish"])
def test_operations_answer_the_whole_problem(replies: ErrorReplies, verb: str) -> None:
    answer = error(replies.of(5, verb, NotFound("thread", "t")))
    problem = json.loads(answer["message"])
    assert (problem["code"], problem["type"]) == ("not_found", "https://problems/not-found")
    assert problem["correlation_id"] == "client"
    assert error(replies.of(5, "history", NotFound("thread", "t")))["message"] == problem["detail"]


def test_names_that_are_no_verb_are_shown_in_short(replies: ErrorReplies) -> None:
    shown = error(replies.unknown(5, {"id": 5, "b": 1, "a": 1, "c" * 200: 1}, None))["message"]
    assert shown == f"method not found: {('a, b, ' + 'c' * 200)[:100]}"
