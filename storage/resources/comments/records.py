"""Rows of comments become records."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import astuple
from typing import Any

from peewee import JOIN, Database, Select

from actors.resources.comments.anchors import Anchor
from actors.resources.comments.comment import Comment
from actors.resources.users import Author
from storage.compiled import ManyRows
from storage.schema import artifact_models, comment_models, models

_A, _C, _T, _U = artifact_models.Artifact, comment_models.Comment, models.Thread, models.User
_Parent, _Resolver = _C.alias("parent"), _U.alias("resolver")
_COLUMNS = (
    _C.id, _C.uid, _A.uid, _T.uid, _Parent.uid, _C.content, _C.base, _C.anchor, _C.version, _C.created_at,
    _C.updated_at, _C.edited_at, _C.resolved_at, _C.deleted_at,
    _U.id, _U.uid, _U.name, _U.kind, _U.avatar_url,
    _Resolver.id, _Resolver.uid, _Resolver.name, _Resolver.kind, _Resolver.avatar_url,
)  # fmt: skip
_AUTHOR, _RESOLVER, END = 14, 19, 24
"""Where their columns begin, and where others may follow."""


def query(*more: Any) -> Select:
    return (
        _C.select(*_COLUMNS, *more)
        .join(_A, on=(_C.artifact == _A.id))
        .join_from(_A, _T, on=(_A.thread == _T.id))
        .join_from(_C, _U, on=(_C.author == _U.id))
        .join_from(_C, _Parent, JOIN.LEFT_OUTER, on=(_C.parent == _Parent.id))
        .join_from(_C, _Resolver, JOIN.LEFT_OUTER, on=(_C.resolver == _Resolver.id))
    )


def of(row: Sequence[Any]) -> Comment:
    (key, uid, artifact, thread, parent, content, base, anchor, version, created, updated, edited, resolved,
     deleted) = row[:_AUTHOR]  # fmt: skip
    return Comment(
        key=key, id=uid, artifact_id=artifact, thread_id=thread, parent_id=parent,
        author=Author(*row[_AUTHOR:_RESOLVER]), content=content, base=base, anchor=decoded(anchor), version=version,
        created_at=created, updated_at=updated, edited_at=edited,
        resolver=Author(*row[_RESOLVER:END]) if row[_RESOLVER] is not None else None, resolved_at=resolved,
        deleted_at=deleted,
    )  # fmt: skip


def encoded(anchor: Anchor | None) -> str | None:
    return None if anchor is None else json.dumps(astuple(anchor), ensure_ascii=False, separators=(",", ":"))


def decoded(text: str | None) -> Anchor | None:
    return None if text is None else Anchor(*json.loads(text))


_BY_KEY = ManyRows(lambda count: query().where(_C.id.in_([0] * count)))


def by_key(database: Database, keys: Iterable[int]) -> dict[int, Comment]:
    found = map(of, _BY_KEY.run(database, [(key,) for key in set(keys)]))
    return {comment.key: comment for comment in found}
