"""Links to artifacts: what is written, and how they are read."""

from typing import Any

from peewee import Select, SqliteDatabase

from actors import limits
from actors.auth.identity import Identity
from actors.errors import Conflict, NotFound
from actors.outcomes import Done
from actors.resources.artifacts.shares import (
    CountView,
    CreateShare,
    GetShare,
    ListShares,
    RevokeShare,
    Share,
    must_revoke,
)
from actors.resources.users import Author
from storage.journal import results
from storage.journal.transaction import Transaction
from storage.journal.writers import writes
from storage.readers import rows
from storage.readers.answers import answers
from storage.resources.artifacts import places, reading
from storage.resources.audit import writing as audit
from storage.schema import artifact_models, models

_A, _V, _S, _U = artifact_models.Artifact, artifact_models.ArtifactVersion, artifact_models.ArtifactShare, models.User


def _query() -> Select:
    return (
        _S.select(
            _S.uid, _A.uid, _S.version, _S.label, _S.created_at, _S.expires_at, _S.revoked_at, _S.views, _S.viewed_at,
            _U.id, _U.uid, _U.name, _U.kind, _U.avatar_url,
        )
        .join(_A, on=(_S.artifact == _A.id))
        .join_from(_S, _U, on=(_S.creator == _U.id))
    )  # fmt: skip


def _share(row: Any) -> Share:
    uid, artifact, version, label, created, expires, revoked, views, viewed = row[:9]
    return Share(uid, artifact, Author(*row[9:]), version, label, created, expires, revoked, views, viewed)


@answers(GetShare)
def one(database: SqliteDatabase, share_id: str) -> Share:
    row = rows.first(database, _query().where(_S.uid == share_id))
    if row is None:
        raise NotFound("link", share_id)
    return _share(row)


@answers(ListShares)
def of_artifact(database: SqliteDatabase, identity: Identity, artifact_id: str) -> tuple[Share, ...]:
    artifact = reading.one(database, identity, artifact_id, with_content=False)
    query = _query().where(_S.artifact == artifact.key).order_by(_S.id.desc()).limit(2 * limits.SHARES_PER_ARTIFACT)
    return tuple(map(_share, rows.fetch(database, query)))


@writes(CreateShare)
def create_share(tx: Transaction, command: CreateShare) -> Done[Share]:
    """Members who may write in the thread may share; the audit log records it."""
    place = places.find_to_change(tx, command.artifact_id, command.identity)
    _must_have_room(tx, place.key)
    wanted = _V.select(_V.number).where((_V.artifact == place.key) & (_V.number == command.version))
    if command.version is not None and rows.first(tx.database, wanted) is None:
        raise NotFound("version", str(command.version))
    tx.execute(_S.insert(
        uid=command.share_id, artifact=place.key, creator=command.identity.user.key, version=command.version,
        label=command.label, created_at=tx.now, expires_at=command.expires_at,
    ))  # fmt: skip
    audit.act(tx, command, "share_artifact", ("artifact", place.id))
    return Done(one(tx.database, command.share_id))


def _must_have_room(tx: Transaction, artifact: int) -> None:
    """Those that have ended make room."""
    good = (_S.artifact == artifact) & _S.revoked_at.is_null() & (_S.expires_at > tx.now)
    if len(rows.fetch(tx.database, _S.select(_S.id).where(good))) >= limits.SHARES_PER_ARTIFACT:
        sentence = f"An artifact may have {limits.SHARES_PER_ARTIFACT} links that are good, and this one has them."
        raise Conflict(sentence, code="shares_full")
    ended = (_S.artifact == artifact) & (_S.revoked_at.is_null(False) | (_S.expires_at <= tx.now))
    old = rows.fetch(
        tx.database, _S.select(_S.id).where(ended).order_by(_S.id.desc()).offset(limits.SHARES_PER_ARTIFACT)
    )
    tx.execute(_S.delete().where(_S.id.in_([key for (key,) in old])))


@writes(RevokeShare)
def revoke_share(tx: Transaction, command: RevokeShare) -> Done[Share]:
    place = places.find(tx, command.artifact_id, command.identity)
    row = rows.first(tx.database, _query().where((_S.uid == command.share_id) & (_S.artifact == place.key)))
    if row is None:
        raise NotFound("link", command.share_id)
    share = _share(row)
    must_revoke(command.identity, place.role, share.creator.key)
    if share.revoked_at is None:
        tx.execute(_S.update(revoked_at=tx.now).where(_S.uid == share.id))
        audit.act(tx, command, "revoke_share", ("artifact", place.id))
    return Done(one(tx.database, share.id))


@writes(CountView)
def count_view(tx: Transaction, command: CountView) -> Done[None]:
    tx.execute(_S.update(views=_S.views + 1, viewed_at=tx.now).where(_S.uid == command.share_id))
    return Done(None)


def _again(tx: Transaction, identity: Identity, reference: results.Reference) -> Share:
    share = one(tx.database, reference["id"])
    reading.one(tx.database, identity, share.artifact_id, with_content=False)
    return share


results.keep(Share, refer=lambda share: {"id": share.id}, load=_again)
