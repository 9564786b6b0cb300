"""The data folder: may it be written, who else may read it, is there room; and its secret."""

from collections.abc import Iterator
from pathlib import Path

from actors import limits
from cli.doctor.check import Check
from cli.settings import Settings
from cli.terminal.console import size


def usable(chosen: Settings) -> Iterator[Check]:
    import os
    import shutil

    folder: Path = chosen["data_dir"]
    there = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())
    writable = there.is_dir() and os.access(there, os.W_OK | os.X_OK)
    more = _user_of(folder) if folder.exists() else ", created at the first start"
    yield Check("data folder", writable, f"{folder}{more}", "Give this user write access, or set another DATA_DIR.")
    free = shutil.disk_usage(there).free
    yield Check(
        "free disk space", free >= limits.DOCTOR_FREE_BYTES, size(free),
        f"Free some; below {size(limits.DOCTOR_FREE_BYTES)} writes may soon fail.",
    )  # fmt: skip


def _user_of(folder: Path) -> str:
    from storage.lock import holder

    pid = holder(folder)
    return "" if pid is None else f", used by process {pid}"


def private(chosen: Settings) -> Iterator[Check]:
    """What is in the data folder is as private as the secret in it."""
    from storage.database import FILE_NAME
    from storage.private_files import is_open_to_others

    folder: Path = chosen["data_dir"]
    files = sorted(folder.glob(f"{FILE_NAME}*")) if folder.is_dir() else []
    seen = [file.name for file in files if is_open_to_others(file)]
    advice = f"Run: chmod go-rwx {folder}/{FILE_NAME}*"
    yield Check(
        "private files",
        not seen,
        f"others can read {', '.join(seen)}" if seen else "only readable by this user",
        advice,
    )
    if folder.is_dir() and is_open_to_others(folder):
        yield Check("private folder", True, "others can list its files", f"Run: chmod 700 {folder}", hint=True)


def secret(chosen: Settings) -> Iterator[Check]:
    from actors import limits
    from cli.opening.keys import SECRET_FILE

    if chosen["jwt_secret"] is not None:
        length = len(chosen["jwt_secret"].encode())
        yield Check(
            "secret", length >= limits.SECRET_BYTES_LEAST, f"JWT_SECRET, {length} bytes",
            f"It must have at least {limits.SECRET_BYTES_LEAST} bytes, and should have {limits.SECRET_BYTES}.",
        )  # fmt: skip
    elif chosen["jwt_jwks_url"] is not None:
        yield Check("secret", True, "none; the issuer's keys are at JWT_JWKS_URL")
    else:
        yield _secret_file(chosen["data_dir"] / SECRET_FILE)


def _secret_file(path: Path) -> Check:
    import stat

    from server.auth.secret_file import load_or_create_secret

    if not path.exists():
        return Check("secret", True, f"{path}, created at the first start")
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        return Check("secret", False, f"{path}, mode {mode:04o}", f"Others can read it; run: chmod 600 {path}")
    try:
        load_or_create_secret(path)
    except (ValueError, OSError) as error:
        return Check("secret", False, str(error), "Replace it, or delete the file to generate a new one.")
    return Check("secret", True, f"{path}, mode {mode:04o}")
