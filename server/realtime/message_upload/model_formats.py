"""What the APIs of models stream: which of it is text of the answer, and how the answer ends. Pure.

Each format is read by its own events. Reasoning, refusals, tool calls, and every choice or candidate but the first are
not text. An answer that its model cut off (length, filter, a pause) is INTERRUPTED, one that failed is FAILED.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an answer ended, and in a word why, where it is not COMPLETE."""

    status: Literal["COMPLETE", "FAILED", "INTERRUPTED"]
    reason: str = ""


class Heard(NamedTuple):
    """What one event says."""

    text: str = ""
    outcome: Outcome | None = None
    is_last: bool = False
    """Nothing follows; otherwise the body goes on after its outcome is known (usage, other choices, `[DONE]`)."""


Format = Callable[[Json], Heard | None]
"""None for an event of another format."""

CUT_OFF: Final = Outcome("INTERRUPTED", "cut_off")
"""The stream of a model that ended without saying how."""
COMPLETE: Final = Outcome("COMPLETE")
FAILED: Final = Outcome("FAILED", "model_error")

_ENDS_WELL: Final = frozenset(
    {
        "stop", "complete", "completed", "end_turn", "stop_sequence", "eos_token", "eos",
        "tool_calls", "tool_call", "tool_use", "function_call",
    }
)  # fmt: skip
"""A model that calls a tool has said what it wanted to say. In lower case: formats differ in that only."""
_CALLS_A_TOOL: Final = frozenset({"tool_calls", "tool_call", "tool_use", "function_call"})
_LENGTH: Final = frozenset(
    {"length", "max_tokens", "model_length", "max_output_tokens", "model_context_window_exceeded"}
)
_FAILS: Final = frozenset({"error", "error_toxic", "error_limit", "failed", "timeout", "load", "unload"})
_WORD: Final = re.compile(r"[a-z][a-z0-9_.-]{0,63}")


def outcome_of(said: object) -> Outcome | None:
    """Of `finish_reason`, `stop_reason`, `finishReason`, `done_reason`; None where it is not said yet."""
    if said is None or not isinstance(said, str) or not said or said == "FINISH_REASON_UNSPECIFIED":
        return None
    word = said.lower()
    if word in _ENDS_WELL:
        return Outcome("COMPLETE", word) if word in _CALLS_A_TOOL else COMPLETE
    if word in _LENGTH:
        return Outcome("INTERRUPTED", "length")
    if word in _FAILS:
        return FAILED
    return Outcome("INTERRUPTED", word if _WORD.fullmatch(word) else "cut_off")


def hear(event: Json) -> Heard | None:
    """What an event of any format says; None where it belongs to none of them."""
    if event.get("error"):
        return Heard(outcome=FAILED, is_last=True)
    for read in _FORMATS:
        heard = read(event)
        if heard is not None:
            return heard
    return None


def _chat_completions(event: Json) -> Heard | None:
    """OpenAI Chat Completions and what is compatible with it (Mistral, vLLM, …); the older Completions as well."""
    choices = event.get("choices")
    if not isinstance(choices, list):
        return None
    choice = _first(choices)
    delta = choice.get("delta")
    text = _texts(_object(delta).get("content")) if delta is not None else _text(choice.get("text"))
    return Heard(text, outcome_of(choice.get("finish_reason")))


_RESPONSE_ENDS: Final[Mapping[str, Outcome]] = {
    "response.completed": COMPLETE,
    "response.failed": FAILED,
    "response.cancelled": Outcome("INTERRUPTED", "cancelled"),
    "response.canceled": Outcome("INTERRUPTED", "cancelled"),
}


def _responses(event: Json) -> Heard | None:
    """OpenAI Responses. `response.output_text.done` repeats the whole text, so only deltas count."""
    kind = event.get("type")
    if not isinstance(kind, str) or not kind.startswith("response."):
        return None
    if kind == "response.output_text.delta":
        return Heard(_text(event.get("delta")))
    if kind == "response.incomplete":
        details = _object(_object(event.get("response")).get("incomplete_details"))
        return Heard("", outcome_of(details.get("reason")) or Outcome("INTERRUPTED", "incomplete"), is_last=True)
    ended = _RESPONSE_ENDS.get(kind)
    return Heard("", ended, is_last=True) if ended is not None else Heard()


_MESSAGES: Final = frozenset({"message_start", "content_block_stop", "ping"})


def _messages(event: Json) -> Heard | None:
    """Anthropic Messages."""
    match event.get("type"):
        case "content_block_delta":
            delta = _object(event.get("delta"))
            return Heard(_text(delta.get("text")) if delta.get("type", "text_delta") == "text_delta" else "")
        case "content_block_start":
            block = _object(event.get("content_block"))
            return Heard(_text(block.get("text")) if block.get("type") == "text" else "")
        case "message_delta":
            return Heard("", outcome_of(_object(event.get("delta")).get("stop_reason")))
        case "message_stop":
            return Heard("", None, is_last=True)
        case "error":
            return Heard("", FAILED, is_last=True)
        case str(kind) if kind in _MESSAGES:
            return Heard()
    return None


def _gemini(event: Json) -> Heard | None:
    """Google Gemini's `streamGenerateContent?alt=sse`."""
    candidates = event.get("candidates")
    blocked = _object(event.get("promptFeedback")).get("blockReason")
    if blocked:
        return Heard("", Outcome("FAILED", "prompt_blocked"), is_last=True)
    if not isinstance(candidates, list):
        return Heard() if "promptFeedback" in event or "usageMetadata" in event else None
    candidate = _first(candidates)
    parts = _object(candidate.get("content")).get("parts")
    spoken = [part for part in _objects(parts) if not part.get("thought")]
    return Heard("".join(_text(part.get("text")) for part in spoken), outcome_of(candidate.get("finishReason")))


def _ollama(event: Json) -> Heard | None:
    """Ollama's `/api/chat` and `/api/generate`, one object a line."""
    done = event.get("done")
    if not isinstance(done, bool) or not ("message" in event or "response" in event):
        return None
    text = _text(event["response"] if "response" in event else _object(event["message"]).get("content"))
    if not done:
        return Heard(text)
    return Heard(text, outcome_of(event.get("done_reason")) or COMPLETE, is_last=True)


_COHERE: Final = re.compile(r"(message|content|citation|tool-call)-(start|delta|end)|tool-plan-delta|debug")


def _cohere(event: Json) -> Heard | None:
    """Cohere's Chat, version 2 (`type`) and version 1 (`event_type`)."""
    old = event.get("event_type")
    if old == "text-generation":
        return Heard(_text(event.get("text")))
    if old == "stream-end":
        return Heard("", outcome_of(event.get("finish_reason")) or CUT_OFF, is_last=True)
    if isinstance(old, str):
        return Heard()
    kind = event.get("type")
    if not isinstance(kind, str) or not _COHERE.fullmatch(kind):
        return None
    delta = _object(event.get("delta"))
    if kind == "message-end":
        return Heard("", outcome_of(delta.get("finish_reason")) or CUT_OFF, is_last=True)
    content = _object(_object(delta.get("message")).get("content"))
    return Heard(_text(content.get("text")) if kind.startswith("content-") else "")


_CONVERSE: Final = frozenset({"messageStart", "contentBlockStart", "contentBlockStop", "metadata"})


def _converse(event: Json) -> Heard | None:
    """AWS Bedrock's `ConverseStream`, as its SDKs show the events: an object with one member."""
    match event:
        case {"contentBlockDelta": inner}:
            return Heard(_text(_object(_object(inner).get("delta")).get("text")))
        case {"messageStop": inner}:
            return Heard("", outcome_of(_object(inner).get("stopReason")))
    if len(event) != 1:
        return None
    (name,) = event
    if name.endswith("Exception"):
        return Heard("", FAILED, is_last=True)
    return Heard() if name in _CONVERSE else None


_FORMATS: Final[tuple[Format, ...]] = (
    _chat_completions, _responses, _messages, _gemini, _ollama, _cohere, _converse,
)  # fmt: skip


def _object(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def _objects(value: object) -> Iterable[Json]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else ()


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _texts(content: object) -> str:
    """A text, or a list of parts of which some are text and some are thinking."""
    if isinstance(content, str):
        return content
    return "".join(_text(part.get("text")) for part in _objects(content) if part.get("type") == "text")


def _first(choices: list[object]) -> Json:
    """Of several answers to one question the first is the message."""
    if len(choices) == 1 and isinstance(choices[0], dict) and not choices[0].get("index"):
        return choices[0]
    return next((choice for choice in _objects(choices) if not choice.get("index")), {})
