"""A conversation's memory: what its JSON object may hold, and how a merge patch changes it. Pure.

    {"facts": ["Ana lives in Lima", {"id": "diet", "text": "Bo eats no meat", "source_message_id": "c…"}],
     "summary": "They plan a trip.", "summary_up_to": 41,
     "pins": ["c…"],
     "whatever": "else the application keeps"}

Every section may be left out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from actors import limits
from actors.commands import IfVersion, ThreadCommand
from actors.errors import ValidationFailed
from actors.events import EventKind
from actors.identifiers import is_id
from actors.queries import IdentityQuery
from actors.resources.context import Notes, Page, Said, indented, quoted
from actors.resources.threads import PartField, ThreadPart
from actors.text.normal import is_blank

Json = dict[str, Any]
_Problems = Iterator[tuple[str, str]]
"""(JSON path, sentence)."""


def must_be_valid(memory: Json, head: int) -> None:
    """Raises `ValidationFailed`. `head` is that of the thread's log. Whether pins are messages, a store knows."""
    errors: dict[str, list[str]] = {}
    for path, sentence in _problems(memory, head):
        errors.setdefault(f"memory.{path}", []).append(sentence)
    if len(errors) > limits.FIELD_ERRORS:
        errors = {"memory": [f"{len(errors)} faults are too many to list; fix some and try again."]}
    if errors:
        raise ValidationFailed(errors)


def _problems(memory: Json, head: int) -> _Problems:
    if "facts" in memory:
        yield from _facts(memory["facts"])
    if "summary" in memory:
        yield from _text("summary", memory["summary"])
    if "summary_up_to" in memory:
        yield from _summary_up_to(memory, head)
    if "pins" in memory:
        yield from _pins(memory["pins"])


def _facts(facts: Any) -> _Problems:
    if not isinstance(facts, list):
        yield "facts", "expected a list of texts and of objects with a `text`."
        return
    ids: set[str] = set()
    for number, fact in enumerate(facts):
        path = f"facts.{number}"
        if not isinstance(fact, dict):
            yield from _text(path, fact, or_else="or an object with a `text`")
            continue
        yield from _fact(path, fact)
        fact_id = fact.get("id")
        if isinstance(fact_id, str):
            if fact_id in ids:
                yield f"{path}.id", "Another fact has this id."
            ids.add(fact_id)


def _fact(path: str, fact: Json) -> _Problems:
    for name in fact.keys() - {"id", "text", "source_message_id"}:
        yield f"{path}.{name}", "This field is not known here."
    if "text" in fact:
        yield from _text(f"{path}.text", fact["text"])
    else:
        yield f"{path}.text", "This field is required."
    if "id" in fact and not _is_fact_id(fact["id"]):
        yield f"{path}.id", f"expected 1 to {limits.MEMORY_FACT_ID_CHARS} printable characters."
    if "source_message_id" in fact and not _is_id(fact["source_message_id"]):
        yield f"{path}.source_message_id", "expected a message's id."


def _text(path: str, value: Any, or_else: str = "") -> _Problems:
    if not isinstance(value, str) or is_blank(value):
        yield path, " ".join(filter(None, ("expected a text that is not empty", or_else))) + "."
    elif "\x00" in value:
        yield path, "may not contain NUL characters."


def _summary_up_to(memory: Json, head: int) -> _Problems:
    offset = memory["summary_up_to"]
    if type(offset) is not int or not 0 <= offset <= head:
        yield "summary_up_to", f"expected an offset of the thread's log, 0 to {head}."
    if "summary" not in memory:
        yield "summary_up_to", "says how far a `summary` reaches, and there is none."


def _pins(pins: Any) -> _Problems:
    if not isinstance(pins, list):
        yield "pins", "expected a list of message ids."
        return
    if len(pins) > limits.MEMORY_PINS:
        yield "pins", f"may be at most {limits.MEMORY_PINS} messages, these are {len(pins)}."
    seen: set[str] = set()
    for number, pin in enumerate(pins):
        if not _is_id(pin):
            yield f"pins.{number}", "expected a message's id."
        elif pin in seen:
            yield f"pins.{number}", "This message is pinned already."
        else:
            seen.add(pin)


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and is_id(value)


def _is_fact_id(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= limits.MEMORY_FACT_ID_CHARS and value.isprintable()


def fact_text(fact: Any) -> str:
    """What a fact says, in either form."""
    return str(fact["text"] if isinstance(fact, dict) else fact)


def notes(memory: Json, version: int, pinned: Sequence[Said], room: int) -> Notes:
    """What a model gets of it: the summary, cut where it must be; then facts, then pinned messages, in order, as long
    as they fit whole."""
    page = Page(room)
    if page.is_open:
        if "summary" in memory:
            page.add_cut("\nSummary so far:", memory["summary"].strip())
        page.add_list("\nFacts:", (indented(fact_text(fact)) for fact in memory.get("facts", ())))
        page.add_list("\nPinned messages:", (quoted(said) for said in pinned if said.is_shown))
    says_something = any(memory.get(name) for name in ("facts", "summary", "pins"))
    return page.notes(version, memory.get("summary_up_to", 0), says_something=says_something)


@dataclass(frozen=True, slots=True)
class Memory:
    """What a conversation has come to know."""

    thread_id: str
    content: str
    """JSON object."""
    version: int
    """Its own: neither messages nor changes to the thread move it."""


@dataclass(slots=True, kw_only=True)
class ReplaceMemory(ThreadCommand[Memory]):
    """Answers the `Memory`."""

    memory: str
    """JSON object: all of it."""
    if_version: IfVersion = None


@dataclass(slots=True, kw_only=True)
class UpdateMemory(ThreadCommand[Memory]):
    """Answers the `Memory`."""

    patch: str
    """JSON object: a merge patch."""
    if_version: IfVersion = None


THREAD_PART: Final = ThreadPart(
    Memory,
    (
        PartField("memory", "content", is_json=True),
        PartField("memory_version", "version", "Version of the memory; `version` is that of the other fields."),
    ),
)

# Events

MEMORY_UPDATED: Final = EventKind("memory.updated", Memory, "thread")


@dataclass(frozen=True, slots=True)
class GetMemory(IdentityQuery[tuple[Memory, int]]):
    """The memory, and the head of the thread's log that was read before it."""

    thread_id: str
