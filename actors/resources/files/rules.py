"""Who may see and change a file, and whether it can be read."""

from actors.auth.identity import Identity
from actors.errors import Conflict, FileNotReady, FileQuarantined, Forbidden, NotFound, XpError
from actors.resources.files.file import File
from actors.resources.members import MemberRole


def must_see_file(identity: Identity, owner_key: int, in_thread: bool, role: MemberRole | None, file_id: str) -> None:
    """`role`: of the caller in the file's thread. Raises `NotFound`."""
    allowed = role is not None if in_thread else owner_key == identity.user.key
    if not (allowed or identity.is_admin):
        raise NotFound("file", file_id)


def must_change_file(identity: Identity, owner_key: int, in_thread: bool, role: MemberRole | None) -> None:
    """Its owner changes a file, as long as they may write in its thread; the thread's owners may, too."""
    if identity.is_admin:
        return
    if owner_key == identity.user.key and (not in_thread or role in ("OWNER", "MEMBER")):
        return
    if in_thread and role == "OWNER":
        return
    raise Forbidden("Only its owner and the thread's owners may change a file, and only if they may write there.")


def unreadable(file: File) -> XpError | None:
    """Why the content of a file cannot be had now; None where it can."""
    match file.status:
        case "ready":
            return None
        case "pending":
            return FileNotReady("The file's bytes have not arrived yet; try again when it is `ready`.")
        case "scanning":
            return FileNotReady("The file is being scanned; try again when it is `ready`.")
        case "quarantined":
            return FileQuarantined(f"The file is in quarantine: {file.reason or 'the scanner found something in it'}.")
        case "failed":
            return Conflict(f"The upload failed: {file.reason or 'its bytes did not arrive'}. Upload it again.",
                            code="file_failed")  # fmt: skip
        case "deleted":
            return NotFound("file", file.id)
