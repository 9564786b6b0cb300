"""What an edit holds is found before the CRDT takes it; frames are read as they are written."""

import contextlib
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pycrdt import Array, Doc, Map, Text, XmlElement, XmlFragment, XmlText

from actors import limits
from actors.documents import wire
from actors.documents.bytes_reader import BytesReader, number
from actors.documents.cursors import Cursor
from actors.documents.edits import types_in
from actors.errors import Malformed

VALUES: Any = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(VALUES, max_size=5), st.text(max_size=8))
def test_shared_types_are_counted_among_any_values(values: list[Any], text: str) -> None:
    document: Doc[Any] = Doc()
    body = document.get("body", type=Map)
    body["list"] = Array(values)
    body["text"] = Text(text)
    body["map"] = Map({"inner": Array([Map()])})
    body["text"].format(0, 0, {"bold": True})
    del body["list"]
    body["bytes"] = b"\x00\x01"
    assert types_in(document.get_update()) <= 5
    assert types_in(document.get_update()) >= 4


def test_types_of_xml_are_counted() -> None:
    document: Doc[Any] = Doc()
    xml = document.get("xml", type=XmlFragment)
    xml.children.append(XmlElement("p", {"class": "a"}, [XmlText("x")]))
    assert types_in(document.get_update()) == 2


def test_what_nests_too_deep_is_refused() -> None:
    deep = b"\x01\x01\x01\x00" + b"\x08\x01\x01a\x01" + b"\x75\x01" * 100_000 + b"\x7e\x00"
    with pytest.raises(Malformed, match="nested at most"):
        types_in(deep)


def test_documents_within_documents_are_refused() -> None:
    document: Doc[Any] = Doc()
    document.get("body", type=Map)["inner"] = Doc()
    with pytest.raises(Malformed, match="within documents"):
        types_in(document.get_update())


def test_too_many_parts_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "EDIT_STRUCTS", 3)
    document: Doc[Any] = Doc()
    document.get("body", type=Map).update({str(count): count for count in range(4)})
    with pytest.raises(Malformed, match="at most 3 parts"):
        types_in(document.get_update())
    assert types_in(document.get_update(), bounded=False) == 0


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=40))
def test_noise_is_malformed_or_nothing(noise: bytes) -> None:
    for read in (wire.read, types_in):
        with contextlib.suppress(Malformed):
            read(noise)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**63 - 1))
def test_numbers(value: int) -> None:
    assert BytesReader(number(value)).number() == value


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.builds(Cursor, st.integers(0, 2**53), st.integers(0, 2**32), st.text(max_size=5)), max_size=4))
def test_frames_are_read_as_they_are_written(cursors: list[Cursor]) -> None:
    assert wire.read(wire.show(cursors)) == wire.Show(tuple(cursors))
    assert wire.read(wire.ask(b"\x01\x02")) == wire.Ask(b"\x01\x02")
    assert wire.read(wire.answer(b"abc")) == wire.Edit(b"abc", is_answer=True)
    assert wire.read(wire.update(b"abc")) == wire.Edit(b"abc", is_answer=False)
    assert wire.read(b"\x03") == wire.AskCursors()
