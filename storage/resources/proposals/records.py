"""Rows of proposals become records."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from peewee import JOIN, Database, Select

from actors.resources.artifacts.artifact import Provenance
from actors.resources.proposals.proposal import Proposal
from actors.resources.users import Author
from storage.compiled import ManyRows
from storage.schema import artifact_models, models, proposal_models

_A, _P, _T, _U = artifact_models.Artifact, proposal_models.Proposal, models.Thread, models.User
_Resolver = _U.alias("resolver")
_COLUMNS = (
    _P.id, _P.uid, _A.uid, _T.uid, _P.base, _P.comment, _P.message, _P.tool_call, _P.model, _P.status, _P.count,
    _P.created_at, _P.updated_at, _P.resolved_at, _P.reason, _P.accepted, _P.version,
    _U.id, _U.uid, _U.name, _U.kind, _U.avatar_url,
    _Resolver.id, _Resolver.uid, _Resolver.name, _Resolver.kind, _Resolver.avatar_url,
)  # fmt: skip
_AUTHOR, _RESOLVER, _PATCH = 17, 22, 27
"""Where their columns begin."""


def query(*, with_patch: bool) -> Select:
    return (
        _P.select(*_COLUMNS, *([_P.patch, _P.hunks] if with_patch else []))
        .join(_A, on=(_P.artifact == _A.id))
        .join_from(_A, _T, on=(_A.thread == _T.id))
        .join_from(_P, _U, on=(_P.author == _U.id))
        .join_from(_P, _Resolver, JOIN.LEFT_OUTER, on=(_P.resolver == _Resolver.id))
    )


def of(row: Sequence[Any]) -> Proposal:
    (key, uid, artifact, thread, base, comment, message, tool_call, model, status, count, created, updated, resolved,
     reason, accepted, version) = row[:_AUTHOR]  # fmt: skip
    patch, hunks = row[_PATCH : _PATCH + 2] if len(row) > _PATCH else (None, None)
    return Proposal(
        key=key, id=uid, artifact_id=artifact, thread_id=thread, author=Author(*row[_AUTHOR:_RESOLVER]), base=base,
        comment=comment, provenance=Provenance(message, tool_call, model), status=status, count=count,
        created_at=created, updated_at=updated,
        resolver=Author(*row[_RESOLVER:_PATCH]) if row[_RESOLVER] is not None else None, resolved_at=resolved,
        reason=reason, accepted=tuple(json.loads(accepted)), version=version, patch=patch, hunks=hunks,
    )  # fmt: skip


_BY_KEY = ManyRows(lambda count: query(with_patch=False).where(_P.id.in_([0] * count)))


def by_key(database: Database, keys: Iterable[int]) -> dict[int, Proposal]:
    """Without their patches."""
    found = map(of, _BY_KEY.run(database, [(key,) for key in set(keys)]))
    return {proposal.key: proposal for proposal in found}
