"""Statements that are put together once are what Peewee would make each time."""

import importlib
import json
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from peewee import SqliteDatabase

import storage
from actors import limits
from storage.compiled import ManyRows, Prepared, Shaped, each_of
from storage.schema import models
from tests.builders import Ledger

DATABASE = SqliteDatabase(":memory:")


def every_many_rows() -> Iterator[tuple[str, ManyRows]]:
    for module in pkgutil.walk_packages(storage.__path__, "storage."):
        if ".migrations." in module.name:
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            if isinstance(value, ManyRows):
                yield f"{module.name}.{name}", value


FOUND = dict(every_many_rows())


def test_they_are_found() -> None:
    assert len(FOUND) > 15, sorted(FOUND)


@pytest.mark.parametrize("name", FOUND)
def test_one_row_more_repeats_one_piece(name: str) -> None:
    statement = FOUND[name]
    for count in (1, 2, 3, 10, limits.STATEMENT_ROWS):
        assert statement.text(DATABASE, count) == statement._build(count).bind(DATABASE).sql()[0]


def test_what_is_given_takes_its_place_by_name(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "messages.db")
    try:
        ana, bo = ledger.user("Ana"), ledger.user("Bo")
        U = models.User
        named = Prepared(
            lambda given: (
                U.select(U.name, given.more).where((U.name == given.name) | (U.id == given.key)).order_by(U.id)
            )
        )
        assert named.all(ledger.reader, name="Ana", key=bo.user.key, more=7) == [("Ana", 7), ("Bo", 7)]
        assert named.first(ledger.reader, name="Ana", key=0, more=None) == ("Ana", None)
        assert named.first(ledger.reader, name=None, key=None, more="x") is None
        with pytest.raises(KeyError, match="more"):
            named.all(ledger.reader, name="Ana", key=ana.user.key)
    finally:
        ledger.close()


def test_each_shape_is_compiled_once_and_has_its_own_conditions(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "messages.db")
    try:
        ana, bo = ledger.user("Ana"), ledger.user("Bo")
        U = models.User
        built: list[bool] = []

        def build(given: Any, *, named: bool) -> Any:
            built.append(named)
            query = U.select(U.id).where(U.id > given.after).order_by(U.id)
            return query.where(U.name == given.name) if named else query

        shaped, before = Shaped(build), ana.user.key - 1
        for _ in range(3):
            assert shaped.of(named=True).all(ledger.reader, after=before, name="Bo") == [(bo.user.key,)]
            everyone = shaped.of(named=False).all(ledger.reader, after=before)
            assert everyone == [(ana.user.key,), (bo.user.key,)]
        assert built == [True, False]
    finally:
        ledger.close()


def test_any_number_of_keys_is_given_as_one_array(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "messages.db")
    try:
        keys = [ledger.user(name).user.key for name in ("Ana", "Bo", "Cy")]
        U = models.User
        these = Prepared(lambda given: U.select(U.name).where(U.id.in_(each_of(given.keys))).order_by(U.id))
        assert these.all(ledger.reader, keys=json.dumps([keys[2], keys[0]])) == [("Ana",), ("Cy",)]
        assert these.all(ledger.reader, keys="[]") == []
    finally:
        ledger.close()
