"""Statements that are put together once are what Peewee would make each time."""

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from peewee import SqliteDatabase

import storage
from actors import limits
from storage.compiled import ManyRows, Prepared
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
