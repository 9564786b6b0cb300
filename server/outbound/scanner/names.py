"""What a scanner calls its find, made fit to be shown."""

import re

from actors import limits

UNNAMED = "unnamed"
_CLAMSCAN = re.compile(r"(?:.*: )?(\S+) FOUND")


def shown(line: str) -> str:
    """One printable line. clamscan's own form, `/path: NAME FOUND`, gives the name: the path is nobody's business."""
    found = _CLAMSCAN.fullmatch(line.strip())
    text = found[1] if found else line
    printable = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(printable.split())[: limits.SCAN_NAME_CHARS] or UNNAMED
