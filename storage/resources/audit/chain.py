"""How entries of the audit log hang together: each hash covers its entry and the hash before it.

What identifies a person (from where they came, and what was changed about them) is not in the chain itself. The chain
holds a seal of it: an HMAC by a random salt that stands beside the values. Where a person is erased, values and salts
go; the seals stay, reveal nothing, and the chain goes on to verify.
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from typing import Any

import orjson

from storage.schema.identity_models import Audit

GENESIS = ""
"""What the first entry is chained to."""
CHAINED = (
    Audit.uid, Audit.at, Audit.actor_id, Audit.credential, Audit.action, Audit.target_kind, Audit.target_id,
    Audit.outcome, Audit.reason, Audit.about_id, Audit.origin_seal, Audit.change_seal,
)  # fmt: skip
"""What a hash covers, in this order."""
ORIGIN = (Audit.address, Audit.user_agent, Audit.correlation_id)
"""Covered by the first seal: erased with the actor, or without one, with the user the entry is about."""
CHANGE = (Audit.before, Audit.after)
"""Covered by the second seal: erased with the user the entry is about."""
SEALED = {ORIGIN: (Audit.origin_salt, Audit.origin_seal), CHANGE: (Audit.change_salt, Audit.change_seal)}
FORMER = (
    Audit.uid, Audit.at, Audit.actor_id, Audit.credential, Audit.address, Audit.user_agent, Audit.correlation_id,
    Audit.action, Audit.target_kind, Audit.target_id, Audit.outcome, Audit.reason, Audit.before, Audit.after,
)  # fmt: skip
"""What the hash of an entry covered before there were seals."""
SALT_BYTES = 32


def new_salt() -> bytes:
    return secrets.token_bytes(SALT_BYTES)


def seal(salt: bytes, values: Sequence[Any]) -> str:
    """HMAC-SHA256 by the salt over the JSON list of the values, in hex."""
    return hmac.new(salt, orjson.dumps(values), hashlib.sha256).hexdigest()


def entry_hash(previous: str, values: Sequence[Any]) -> str:
    """SHA-256 over the JSON list of the hash before and the entry's own values, in hex."""
    return hashlib.sha256(orjson.dumps([previous, *values])).hexdigest()
