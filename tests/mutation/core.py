"""The core: the files of which mutants are made, and the tests that have to notice them."""

from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
CORE: Mapping[str, tuple[str, ...]] = {
    "actors/runtime/*.py": ("tests/actors/runtime", "tests/actors/journal"),
    "actors/journal/*.py": (
        "tests/actors/journal", "tests/actors/threads/test_directory.py", "tests/server/operations/test_log.py",
        "tests/storage/resources/retention",
    ),
    "actors/threads/*.py": (
        "tests/actors/threads", "tests/server/realtime/test_presence.py", "tests/server/realtime/test_streaming.py",
        "tests/server/operations/test_pieces.py", "tests/server/operations/test_turns.py",
        "tests/server/realtime/test_answer_ends.py", "tests/server/realtime/test_limits.py",
    ),
    "actors/delivery/*.py": (
        "tests/actors/delivery", "tests/server/realtime/test_live_channels.py",
        "tests/server/realtime/test_sse_many.py", "tests/server/realtime/test_live_limits.py",
        "tests/server/realtime/test_slow.py",
    ),
    "actors/auth/*.py": ("tests/actors/auth", "tests/server/operations/test_api_keys.py"),
    "storage/journal/*.py": (
        "tests/storage/journal", "tests/storage/test_database.py", "tests/storage/test_refusals.py",
        "tests/storage/test_outbox.py", "tests/storage/search/test_index.py", "tests/actors/journal",
        "tests/server/operations/test_erasure.py", "tests/server/operations/test_idempotency.py",
    ),
    "storage/resources/*/writing.py": (
        "tests/storage/resources", "tests/storage/test_addresses.py", "tests/storage/test_reactions.py",
        "tests/storage/test_outbox.py", "tests/storage/test_refusals.py", "tests/storage/test_model.py",
        "tests/storage/test_integrity.py", "tests/server/operations/test_notifications.py",
        "tests/server/operations/test_sessions.py", "tests/server/operations/test_api_keys.py",
        "tests/server/operations/test_acknowledgements.py", "tests/server/operations/test_actions.py",
        "tests/server/operations/test_audit.py", "tests/server/operations/test_comments.py",
    ),
    "server/auth/tokens.py": ("tests/server/auth/test_tokens.py", "tests/server/auth/test_jwt_attacks.py"),
    "server/limits/rate_limits.py": ("tests/server/limits/test_rate_limits.py", "tests/server/test_rate_limited.py"),
    "server/realtime/session/*.py": (
        "tests/server/realtime/test_recovery_shared.py", "tests/server/realtime/test_connect.py",
        "tests/server/realtime/test_live_channels.py", "tests/server/realtime/test_commands.py",
        "tests/server/realtime/test_recovery.py", "tests/server/realtime/test_own_channel.py",
        "tests/server/realtime/test_access.py", "tests/server/realtime/test_frames.py",
        "tests/server/realtime/test_limits.py", "tests/server/realtime/test_emulation.py",
        "tests/server/realtime/test_artifact_channel.py", "tests/server/realtime/test_floods.py",
    ),
}  # fmt: skip
"""Files → the tests that may notice a mutant in them."""


def files(pattern: str) -> list[str]:
    return sorted(str(path.relative_to(ROOT)) for path in ROOT.glob(pattern))


def covering(path: str, pattern: str) -> list[str]:
    """Those of the file's own name or folder first."""
    source = Path(path)
    mirrored = [f"tests/{source.parent}/test_{source.name}", f"tests/{source.parent}"]
    own = [test for test in mirrored if (ROOT / test).exists()][:1]
    return own + [test for test in CORE[pattern] if test not in own]
