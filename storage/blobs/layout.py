"""Where a blob and an upload are within a store: the same below a folder and below a prefix of a bucket, so that
`aws s3 sync` or `rclone copy` carry one into the other."""

import re

INCOMING = "incoming"

_DIGEST = re.compile(r"[0-9a-f]{64}")
_KEY = re.compile(r"[A-Za-z0-9_-]{1,128}")
_BLOB_PATH = re.compile(r"([0-9a-f]{2})/([0-9a-f]{2})/(\1\2[0-9a-f]{60})")


def blob_path(digest: str) -> str:
    """`ab/cd/abcd…`: 65,536 folders, so that a million blobs are 16 in each. Raises `ValueError`."""
    if not _DIGEST.fullmatch(digest):
        raise ValueError(f"expected a sha256 in lower-case hex, got {digest[:80]!r}")
    return f"{digest[:2]}/{digest[2:4]}/{digest}"


def incoming_path(key: str) -> str:
    """Raises `ValueError`."""
    if not _KEY.fullmatch(key):
        raise ValueError(f"expected 1 to 128 letters, digits, - and _ as the key of an upload, got {key[:80]!r}")
    return f"{INCOMING}/{key}"


def digest_of(path: str) -> str | None:
    """None where the path is not a blob's."""
    found = _BLOB_PATH.fullmatch(path)
    return found[3] if found else None
