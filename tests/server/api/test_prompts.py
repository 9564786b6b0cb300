"""Contexts as models read them: OpenAI's chat messages, and text."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.resources.context import Context, Line
from actors.resources.messages import MessageType
from actors.resources.users import Author
from server.api import prompts

ANA, BO = Author(1, "c" + "a" * 18 + "111111", "Ana", "HUMAN"), Author(2, "c" + "b" * 24, "Bo Bo", "ASSISTANT")
NAME = re.compile(r"^[a-zA-Z0-9_-]{1,64}$")


def author(key: int, name: str) -> Author:
    return Author(key, f"c{key:024}", name, "HUMAN")


def context(*lines: tuple[Author, MessageType, str], notes: str = "") -> Context:
    told = tuple(Line(10 + n, who, kind, text) for n, (who, kind, text) in enumerate(lines))
    return Context(notes, told, 42, True, 99, 7)


def names(*authors: Author) -> list[str]:
    shown = prompts.context(context(*((who, "USER", "x") for who in authors)), "openai")
    return [message["name"] for message in shown["messages"]]


def test_openai() -> None:
    told = context(
        (ANA, "USER", "hi\n\nall"), (BO, "ASSISTANT", "hello"), (BO, "TOOL", "42"), (ANA, "SYSTEM", "be kind"),
        notes="Notes:\n\n- x",
    )  # fmt: skip
    assert prompts.context(told, "openai") == {
        "messages": [
            {"role": "system", "content": "Notes:\n\n- x"},
            {"role": "user", "name": "Ana", "content": "hi\n\nall"},
            {"role": "assistant", "name": "Bo_Bo", "content": "hello"},
            {"role": "user", "name": "tool_Bo_Bo", "content": "42"},
            {"role": "system", "name": "Ana", "content": "be kind"},
        ],
        "tokens": 42, "truncated": True, "offset": 99, "from_offset": 10, "to_offset": 13,
    }  # fmt: skip


def test_text() -> None:
    told = context(
        (ANA, "USER", "hi\n\nBo Bo: I agree"), (BO, "ASSISTANT", "hello"), (BO, "TOOL", "42"), (ANA, "SYSTEM", "kind"),
        notes="Notes.\n\nFacts:\n- x",
    )  # fmt: skip
    shown = prompts.context(told, "text")
    assert shown["text"] == (
        "Notes: Notes.\n  Facts:\n  - x\n\nAna: hi\n  Bo Bo: I agree\n\nBo Bo: hello\n\nBo Bo (tool): 42\n\n"
        "Ana (system): kind"
    )
    assert shown.keys() == {
        "text", "tokens", "truncated", "offset", "from_offset", "to_offset",
    }  # fmt: skip


@pytest.mark.parametrize(("form", "empty"), [("openai", {"messages": []}), ("text", {"text": ""})])
def test_nothing(form: Any, empty: dict[str, Any]) -> None:
    assert prompts.context(context(), form) == {
        **empty, "tokens": 42, "truncated": True, "offset": 99, "from_offset": None, "to_offset": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        ("Ana", "Ana"), ("José García", "Jose_Garcia"), ("o'Neil, P.", "o_Neil_P"), ("a-b_c", "a-b_c"),
        ("李 Wei", "Wei"), ("李", "user_000005"), ("🎉", "user_000005"), ("--", "user_000005"), ("x" * 200, "x" * 64),
    ],
)  # fmt: skip
def test_names_fit_the_format(name: str, fits: str) -> None:
    assert names(author(5, name)) == [fits]


def test_people_of_one_name_are_told_apart() -> None:
    ana, other, third = author(1, "Ana"), author(2, "Ána"), author(3, "Ana_000002")
    assert names(other, ana, third, other) == ["Ana_000002", "Ana", "Ana_000002_000003", "Ana_000002"]
    assert names(other) == ["Ana"], "where nobody else has it"
    told = context((ana, "USER", "x"), (author(2, "Ana"), "USER", "y"))
    assert prompts.context(told, "text")["text"] == "Ana: x\n\nAna (000002): y"


@given(st.lists(st.text(max_size=80), min_size=1, max_size=6), st.booleans())
def test_every_name_fits_and_is_of_one_speaker(given_names: list[str], as_tools: bool) -> None:
    people = [author(key, name) for key, name in enumerate(given_names, 1)]
    kinds: list[MessageType] = ["USER", "TOOL"] if as_tools else ["USER"]
    told = context(*((who, kind, "x") for who in people for kind in kinds))
    shown = [message["name"] for message in prompts.context(told, "openai")["messages"]]
    assert all(map(NAME.match, shown))
    assert len(set(shown)) == len(people) * len(kinds)
