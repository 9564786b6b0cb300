"""How entries of the audit log hang together: each hash covers its entry and the hash before it."""

import hashlib
from collections.abc import Sequence
from typing import Any

import orjson

from storage.identity_models import Audit

GENESIS = ""
"""What the first entry is chained to."""
CHAINED = (
    Audit.uid, Audit.at, Audit.actor_id, Audit.credential, Audit.address, Audit.user_agent, Audit.correlation_id,
    Audit.action, Audit.target_kind, Audit.target_id, Audit.outcome, Audit.reason, Audit.before, Audit.after,
)  # fmt: skip
"""What a hash covers, in this order."""


def entry_hash(previous: str, values: Sequence[Any]) -> str:
    """SHA-256 over the JSON list of the hash before and the entry's own values."""
    return hashlib.sha256(orjson.dumps([previous, *values])).hexdigest()
