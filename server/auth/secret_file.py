"""What the server makes for itself where it is given none, a secret or a key: one file, for its owner alone."""

import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path

from actors import limits


def load_or_create_secret(path: Path) -> tuple[bytes, bool]:
    """The secret in this file, made where there is none, and whether it was made now. Mode 0600.

    Raises `ValueError` with a sentence for an operator, and `OSError`.
    """
    content, made = load_or_create(path, lambda: secrets.token_urlsafe(48).encode())
    secret = content.strip()
    if len(secret) < limits.SECRET_BYTES:
        raise ValueError(
            f"{path} must hold at least {limits.SECRET_BYTES} bytes, it has {len(secret)}; delete it for a new one"
        )
    return secret, made


def load_or_create(path: Path, make: Callable[[], bytes]) -> tuple[bytes, bool]:
    """The same for whatever `make` answers: the content of the file, and whether it was made now."""
    made = not path.exists() and _create(path, make())
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise ValueError(f"{path} can be read by others (mode {mode:04o}); run: chmod 600 {path}")
    return path.read_bytes(), made


def _create(path: Path, content: bytes) -> bool:
    """Whether it was us: the file appears whole or not at all, and never over another process's."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        return False
    finally:
        draft.unlink(missing_ok=True)
    return True
