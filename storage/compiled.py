"""Statements for many rows, compiled once from Peewee queries and executed often.

Building a query costs tens of microseconds, and each statement gives up the GIL and has to win it back. So a batch is a
few statements of many rows, and their SQL is made once for each number of rows.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any

from peewee import BaseQuery, SqliteDatabase, ValuesList

ROWS_AT_MOST = 64
"""Rows in one statement: as many texts as this are cached for each kind of statement."""


class Compiled:
    """A statement that is given all of its parameters, in the order in which it was built with them."""

    def __init__(self, build: Callable[[], BaseQuery]) -> None:
        self._build = build
        self._text: str | None = None

    def execute(self, database: SqliteDatabase, *parameters: Any) -> Any:
        """Answers SQLite's cursor."""
        if self._text is None:
            self._text, _ = self._build().bind(database).sql()
        return database.execute_sql(self._text, parameters)


class ManyRows:
    """A statement whose parameters are, row after row, the values that it was built for."""

    def __init__(self, build: Callable[[int], BaseQuery]) -> None:
        """`build(n)` makes the query for n rows; every parameter in it must belong to a row, in order."""
        self._build = build
        self._texts: dict[int, str] = {}

    def run(self, database: SqliteDatabase, rows: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        """Execute for all rows; answers what the statement returns, in no particular order."""
        answers: list[tuple[Any, ...]] = []
        for start in range(0, len(rows), ROWS_AT_MOST):
            part = rows[start : start + ROWS_AT_MOST]
            cursor = database.execute_sql(self._text(database, len(part)), list(chain.from_iterable(part)))
            answers += cursor.fetchall()
        return answers

    def _text(self, database: SqliteDatabase, count: int) -> str:
        text = self._texts.get(count)
        if text is None:
            text, _ = self._build(count).bind(database).sql()
            self._texts[count] = text
        return text


def insert_rows(model: Any, fields: Iterable[Any]) -> ManyRows:
    """`INSERT INTO model (fields) VALUES …` for many rows."""
    columns = list(fields)
    return ManyRows(lambda count: model.insert_many([[0] * len(columns)] * count, fields=columns).as_rowcount())


def values(count: int, width: int) -> ValuesList:
    """A table of parameters to join with; its columns are `column1`, `column2`, …"""
    return ValuesList([[0] * width] * count, alias="given")
