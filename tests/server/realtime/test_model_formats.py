"""What the APIs of models stream: only the answer's own words are text, and each way to end is understood."""

import json
from typing import Any

import pytest

from actors.errors import Malformed
from server.realtime.message_upload.pieces import EVENTS, NDJSON, End, Open, Piece, PieceReader, Text


def read(media: str, *chunks: bytes) -> list[Piece]:
    """Up to the first end."""
    reader = PieceReader(media)
    found: list[Piece] = []
    for chunk in chunks:
        found += reader.feed(chunk)
    found += reader.finish()
    first = next(index for index, piece in enumerate(found) if isinstance(piece, End))
    return found[: first + 1]


def events(*values: Any) -> bytes:
    return b"".join(b"data: " + (v if isinstance(v, bytes) else json.dumps(v).encode()) + b"\n\n" for v in values)


def lines(*values: Any) -> bytes:
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


def said(pieces: list[Piece]) -> tuple[str, str, str]:
    """(text, status, reason)."""
    end = pieces[-1]
    assert isinstance(end, End)
    return "".join(piece.text for piece in pieces if isinstance(piece, Text)), end.status, end.reason


def chat(content: Any = None, *, index: int = 0, finish: str | None = None, **delta: Any) -> dict[str, Any]:
    if content is not None:
        delta["content"] = content
    return {"object": "chat.completion.chunk", "choices": [{"index": index, "delta": delta, "finish_reason": finish}]}


DONE = b"[DONE]"


@pytest.mark.parametrize(
    ("finish", "status", "reason"),
    [
        ("stop", "COMPLETE", ""),
        ("length", "INTERRUPTED", "length"),
        ("model_length", "INTERRUPTED", "length"),
        ("content_filter", "INTERRUPTED", "content_filter"),
        ("tool_calls", "COMPLETE", "tool_calls"),
        ("function_call", "COMPLETE", "function_call"),
        ("error", "FAILED", "model_error"),
        ("unheard of, and long", "INTERRUPTED", "cut_off"),
    ],
)
@pytest.mark.parametrize("is_done", [True, False])
def test_chat_completions_end(finish: str, status: str, reason: str, is_done: bool) -> None:
    usage = {"choices": [], "usage": {"total_tokens": 3}}
    body = events(chat("", role="assistant"), chat("Hel"), chat("lo"), chat(finish=finish), usage)
    assert said(read(EVENTS, body + (events(DONE) if is_done else b""))) == ("Hello", status, reason)


def test_what_breaks_off_is_not_complete() -> None:
    whole = events(chat("Hel"), chat("lo"))
    assert said(read(EVENTS, whole)) == ("Hello", "INTERRUPTED", "cut_off")
    assert said(read(EVENTS, whole + b'data: {"choices":[{"del')) == ("Hello", "INTERRUPTED", "cut_off")
    assert said(read(EVENTS, whole + events(DONE))) == ("Hello", "COMPLETE", "")


def test_of_several_choices_the_first_is_the_message() -> None:
    both = {"choices": [{"index": 1, "delta": {"content": "no"}}, {"index": 0, "delta": {"content": "yes"}}]}
    body = events(chat("no", index=1), both, chat("no", index=1, finish="length"), chat(finish="stop"))
    assert said(read(EVENTS, body)) == ("yes", "COMPLETE", "")
    body = events(chat("yes"), chat(finish="stop"), chat("no", index=1), chat(index=1, finish="length"), DONE)
    assert said(read(EVENTS, body)) == ("yes", "COMPLETE", "")


def test_reasoning_refusals_and_tools_are_no_text() -> None:
    body = events(
        chat(reasoning_content="hm"), chat(reasoning="hm"), chat(refusal="no"), chat("a"),
        chat(tool_calls=[{"index": 0, "function": {"name": "f", "arguments": '{"text":"b"}'}}]),
        chat([{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "c"}]),
        chat(finish="stop"), DONE,
    )  # fmt: skip
    assert said(read(EVENTS, body)) == ("ac", "COMPLETE", "")


def test_older_completions() -> None:
    body = events(
        {"object": "text_completion", "choices": [{"text": "a", "index": 0}, {"text": "b", "index": 1}]},
        {"object": "text_completion", "choices": [{"text": "", "index": 0, "finish_reason": "length"}]},
        DONE,
    )
    assert said(read(EVENTS, body)) == ("a", "INTERRUPTED", "length")


def response(*ends: Any) -> bytes:
    """As the Responses API really sends it."""
    return events(
        {"type": "response.created", "response": {"id": "r", "error": None, "incomplete_details": None}},
        {"type": "response.output_item.added", "output_index": 0, "item": {"type": "reasoning", "summary": []}},
        {"type": "response.reasoning_summary_text.delta", "delta": "Thinking", "summary_index": 0},
        {"type": "response.reasoning_summary_text.done", "text": "Thinking", "summary_index": 0},
        {"type": "response.reasoning_text.delta", "delta": "Thinking"},
        {"type": "response.refusal.delta", "delta": "I cannot"},
        {"type": "response.refusal.done", "refusal": "I cannot"},
        {"type": "response.function_call_arguments.delta", "delta": "{}"},
        {"type": "response.content_part.added", "part": {"type": "output_text", "text": ""}},
        {"type": "response.output_text.delta", "delta": "Hello"},
        {"type": "response.output_text.delta", "delta": " there"},
        {"type": "response.output_text.done", "text": "Hello there"},
        {"type": "response.content_part.done", "part": {"type": "output_text", "text": "Hello there"}},
        {"type": "response.output_item.done", "item": {"content": [{"type": "output_text", "text": "Hello there"}]}},
        *ends,
    )


@pytest.mark.parametrize(
    ("end", "status", "reason"),
    [
        ({"type": "response.completed", "response": {"status": "completed"}}, "COMPLETE", ""),
        (
            {"type": "response.incomplete", "response": {"incomplete_details": {"reason": "max_output_tokens"}}},
            "INTERRUPTED",
            "length",
        ),
        (
            {"type": "response.incomplete", "response": {"incomplete_details": {"reason": "content_filter"}}},
            "INTERRUPTED",
            "content_filter",
        ),
        ({"type": "response.incomplete", "response": {}}, "INTERRUPTED", "incomplete"),
        ({"type": "response.failed", "response": {"error": {"code": "server_error"}}}, "FAILED", "model_error"),
        ({"type": "response.cancelled"}, "INTERRUPTED", "cancelled"),
        ({"type": "error", "code": "server_error", "message": "…"}, "FAILED", "model_error"),
        ({"error": {"message": "…"}}, "FAILED", "model_error"),
    ],
)
def test_responses(end: Any, status: str, reason: str) -> None:
    assert said(read(EVENTS, response(end))) == ("Hello there", status, reason)
    assert said(read(NDJSON, response(end).replace(b"data: ", b""))) == ("Hello there", status, reason)


def test_responses_that_break_off() -> None:
    assert said(read(EVENTS, response())) == ("Hello there", "INTERRUPTED", "cut_off")


@pytest.mark.parametrize(
    ("stop", "status", "reason"),
    [
        ("end_turn", "COMPLETE", ""),
        ("stop_sequence", "COMPLETE", ""),
        ("tool_use", "COMPLETE", "tool_use"),
        ("max_tokens", "INTERRUPTED", "length"),
        ("model_context_window_exceeded", "INTERRUPTED", "length"),
        ("pause_turn", "INTERRUPTED", "pause_turn"),
        ("refusal", "INTERRUPTED", "refusal"),
    ],
)
@pytest.mark.parametrize("is_stopped", [True, False])
def test_messages(stop: str, status: str, reason: str, is_stopped: bool) -> None:
    body = events(
        {"type": "message_start", "message": {"content": [], "stop_reason": None}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "hm"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "s"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "ping"},
        {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "Hello"}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "citations_delta", "citation": {"text": "x"}}},
        {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": '{"text"'}},
        {"type": "message_delta", "delta": {"stop_reason": stop}, "usage": {"output_tokens": 1}},
        *([{"type": "message_stop"}] if is_stopped else []),
    )
    assert said(read(EVENTS, body)) == ("Hello", status, reason)


def test_messages_that_fail_or_break_off() -> None:
    start = {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "Hel"}}
    failed = events(start, {"type": "error", "error": {"type": "overloaded_error"}})
    assert said(read(EVENTS, failed)) == ("Hel", "FAILED", "model_error")
    assert said(read(EVENTS, events(start))) == ("Hel", "INTERRUPTED", "cut_off")
    assert said(read(EVENTS, events(start) + b"event: error\ndata: overloaded\n\n")) == ("Hel", "FAILED", "model_error")


@pytest.mark.parametrize(
    ("finish", "status", "reason"),
    [
        ("STOP", "COMPLETE", ""),
        ("MAX_TOKENS", "INTERRUPTED", "length"),
        ("SAFETY", "INTERRUPTED", "safety"),
        ("RECITATION", "INTERRUPTED", "recitation"),
        ("PROHIBITED_CONTENT", "INTERRUPTED", "prohibited_content"),
        (None, "INTERRUPTED", "cut_off"),
    ],
)
def test_gemini(finish: str | None, status: str, reason: str) -> None:
    def part(*parts: Any, index: int = 0, **more: Any) -> Any:
        return {"content": {"role": "model", "parts": list(parts)}, "index": index, **more}

    last = {"finishReason": finish} if finish else {}
    body = events(
        {"candidates": [part({"text": "hm", "thought": True}, {"text": "Hel"}), part({"text": "no"}, index=1)]},
        {"candidates": [part({"functionCall": {"name": "f"}}, {"text": "lo"}, **last)], "usageMetadata": {}},
    )
    assert said(read(EVENTS, body)) == ("Hello", status, reason)
    blocked = events({"promptFeedback": {"blockReason": "SAFETY"}})
    assert said(read(EVENTS, blocked)) == ("", "FAILED", "prompt_blocked")


@pytest.mark.parametrize(
    ("ends", "status", "reason"),
    [
        ([{"message": {"content": ""}, "done": True, "done_reason": "stop"}], "COMPLETE", ""),
        ([{"message": {"content": ""}, "done": True}], "COMPLETE", ""),
        ([{"message": {"content": ""}, "done": True, "done_reason": "length"}], "INTERRUPTED", "length"),
        ([{"error": "out of memory"}], "FAILED", "model_error"),
        ([], "INTERRUPTED", "cut_off"),
    ],
)
def test_ollama(ends: list[Any], status: str, reason: str) -> None:
    chats = [{"message": {"role": "assistant", "content": word, "thinking": "hm"}, "done": False} for word in "ab"]
    assert said(read(NDJSON, lines(*chats, *ends))) == ("ab", status, reason)
    generates = [{"response": word, "thinking": "hm", "done": False} for word in "ab"]
    assert said(read(NDJSON, lines(*generates, *ends))) == ("ab", status, reason)
    if not ends:
        assert said(read(NDJSON, lines(*chats) + b'{"message": {"cont')) == ("ab", status, reason)


@pytest.mark.parametrize(
    ("finish", "status", "reason"),
    [("COMPLETE", "COMPLETE", ""), ("MAX_TOKENS", "INTERRUPTED", "length"), ("ERROR", "FAILED", "model_error")],
)
def test_cohere(finish: str, status: str, reason: str) -> None:
    new = (
        {"type": "message-start", "delta": {"message": {"role": "assistant"}}},
        {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"thinking": "hm"}}}},
        {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": "hm"}}},
        {"type": "content-delta", "index": 1, "delta": {"message": {"content": {"text": "Hello"}}}},
        {"type": "citation-start", "delta": {"message": {"citations": {"text": "Hello"}}}},
        {"type": "content-end", "index": 1},
        {"type": "message-end", "delta": {"finish_reason": finish}},
    )
    assert said(read(EVENTS, events(*new))) == ("Hello", status, reason)
    old = (
        {"event_type": "stream-start"},
        {"event_type": "text-generation", "text": "Hello"},
        {"event_type": "stream-end", "finish_reason": finish, "response": {"text": "Hello"}},
    )
    assert said(read(NDJSON, lines(*old))) == ("Hello", status, reason)


@pytest.mark.parametrize(
    ("stop", "status", "reason"),
    [
        ({"messageStop": {"stopReason": "end_turn"}}, "COMPLETE", ""),
        ({"messageStop": {"stopReason": "max_tokens"}}, "INTERRUPTED", "length"),
        ({"messageStop": {"stopReason": "guardrail_intervened"}}, "INTERRUPTED", "guardrail_intervened"),
        ({"modelStreamErrorException": {"message": "…"}}, "FAILED", "model_error"),
    ],
)
def test_bedrock_converse(stop: Any, status: str, reason: str) -> None:
    body = (
        {"messageStart": {"role": "assistant"}},
        {"contentBlockDelta": {"delta": {"reasoningContent": {"text": "hm"}}, "contentBlockIndex": 0}},
        {"contentBlockDelta": {"delta": {"text": "Hello"}, "contentBlockIndex": 1}},
        {"contentBlockStop": {"contentBlockIndex": 1}},
        stop,
        {"metadata": {"usage": {}}},
    )
    assert said(read(NDJSON, lines(*body))) == ("Hello", status, reason)
    assert said(read(EVENTS, events(*body))) == ("Hello", status, reason)


def test_a_model_that_thinks_is_alive() -> None:
    thinking = {"type": "response.reasoning_summary_text.delta", "delta": "hm"}
    assert list(PieceReader(EVENTS).feed(events(thinking))) == [Text("")]
    assert list(PieceReader(EVENTS).feed(b": OPENROUTER PROCESSING\n\n")) == [Text("")]


# Framing


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_events_may_be_cut_anywhere(end: bytes) -> None:
    body = (
        b"\xef\xbb\xbf: hello\n\nevent: x\nid: 7\nretry: 5\n"
        b'data: {"choices":\ndata:[{"delta":{"content":"\xf0\x9f\xa6\x8a \xe6\x97\xa5"}}]}\n\n'
        b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
    ).replace(b"\n", end)
    for size in range(1, len(body) + 1):
        chunks = [body[start : start + size] for start in range(0, len(body), size)]
        assert said(read(EVENTS, *chunks)) == ("🦊 日", "COMPLETE", "")


def test_events_without_blank_lines_between_them() -> None:
    body = b'data: {"text":"a"}\ndata: {"text":"b"}\ndata: {"text":"c"}'
    assert said(read(EVENTS, body)) == ("abc", "COMPLETE", "")


def test_lines_may_be_cut_anywhere() -> None:
    body = b'\xef\xbb\xbf{"open":{"id":"x"}}\r\n\n{"text":"\xf0\x9f\xa6\x8a"}\n{"text":" \\ud83e\\udd8a"}'
    for size in range(1, len(body) + 1):
        chunks = [body[start : start + size] for start in range(0, len(body), size)]
        found = read(NDJSON, *chunks)
        assert found[0] == Open({"id": "x"})
        assert said(found) == ("🦊 🦊", "COMPLETE", "")


def test_our_own_ends() -> None:
    assert read(NDJSON, lines({"text": "a"}, {"complete": {"content": "b"}}))[-1] == End("COMPLETE", {"content": "b"})
    assert read(EVENTS, events({"text": "a"}, {"fail": {}}))[-1] == End("FAILED", {})
    assert said(read(NDJSON, b'{"text":"nul \\u0000"}')) == ("nul \ufffd", "COMPLETE", "")


@pytest.mark.parametrize(
    "line", [b'{"open":{"metadata":{"n":18446744073709551617}}}', b'{"complete":{"content":"\\ud83d"}}']
)
def test_fields_are_kept_as_they_came_or_refused(line: bytes) -> None:
    with pytest.raises(Malformed):
        list(PieceReader(NDJSON).feed(line + b"\n"))
