"""Names of files: safe on every platform, in every header, in every archive."""

import unicodedata
from collections.abc import Iterable
from urllib.parse import quote

NAME_BYTES = 255
"""What ext4, APFS, NTFS and most object stores take for one name."""
EXTENSION_BYTES = 32
"""A longer one is no extension, and may be cut like the rest of the name."""
NAMELESS = "file"

FORBIDDEN = frozenset('<>:"|?*')
"""Windows takes none of these in a name."""
BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""They reorder what is shown: `photo\u202egpj.exe` reads as `photoexe.jpg`."""
INVISIBLE = frozenset("\u00ad\u180e\u200b\u2060\u2061\u2062\u2063\u2064\ufeff\ufffe\uffff")
"""Removed. Joiners (U+200C, U+200D) stay: Persian, Indic scripts and emoji need them."""
RESERVED = frozenset(
    ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"]
    + [f"{device}{digit}" for device in ("COM", "LPT") for digit in "0123456789¹²³"]
)
"""Devices of Windows, with any extension."""

ATTR_CHARS = "!#$&+-.^_`|~"
"""What RFC 8187 lets stand unescaped, beside letters and digits."""


def safe_name(name: str) -> str:
    """A name that every file system, header and archive takes: NFC, one path part, 1 to 255 bytes of UTF-8.

    Control characters are removed, bidirectional ones are shown as `[U+202E]`. Safe names stay as they are.
    """
    last = name.replace("\\", "/").rstrip("/ .").rpartition("/")[2]
    shown = unicodedata.normalize("NFC", "".join(map(_shown, last)))
    bounded = shortened(shown.strip(" ."), NAME_BYTES)
    if not _is_visible(bounded):
        return NAMELESS
    if _is_reserved(bounded):
        return "_" + shortened(bounded, NAME_BYTES - 1)
    return bounded


def content_disposition(name: str, *, inline: bool) -> str:
    """The header's value (RFC 6266): any name, with an ASCII fallback; neither quotes nor line breaks get in."""
    kind = "inline" if inline else "attachment"
    safe = safe_name(name)
    fallback = _ascii(safe)
    if fallback == safe:
        return f'{kind}; filename="{safe}"'
    return f"{kind}; filename=\"{fallback}\"; filename*=UTF-8''{quote(safe, safe=ATTR_CHARS)}"


def unique_names(names: Iterable[str]) -> list[str]:
    """Safe names, in the same order, of which no two are the same on a file system that ignores case: `a (2).txt`."""
    taken: set[str] = set()
    counts: dict[str, int] = {}
    return [_untaken(safe_name(name), taken, counts) for name in names]


def extension(name: str) -> str:
    """In lower case, without its dot; empty where there is none."""
    stem, dot, found = name.rpartition(".")
    return found.lower() if dot and stem and len(found.encode(errors="replace")) <= EXTENSION_BYTES else ""


def _shown(character: str) -> str:
    if character in BIDI_CONTROLS:
        return f"[U+{ord(character):04X}]"
    if character in FORBIDDEN:
        return "_"
    if character in INVISIBLE:
        return ""
    category = unicodedata.category(character)
    if category == "Cs":
        return "\ufffd"
    if category in {"Zs", "Zl", "Zp"}:
        return " "
    return "" if category == "Cc" else character


def _is_visible(name: str) -> bool:
    return any(unicodedata.category(character)[0] not in "CMZ" for character in name)


def _is_reserved(name: str) -> bool:
    return name.partition(".")[0].rstrip().upper() in RESERVED


def shortened(name: str, size: int, end: str = "") -> str:
    """Cut before its extension, so that `end` still fits before that."""
    stem, suffix = _split(name)
    return _cut(stem, size - len((end + suffix).encode())) + end + suffix


def _split(name: str) -> tuple[str, str]:
    found = extension(name)
    return (name[: -len(found) - 1], name[-len(found) - 1 :]) if found else (name, "")


def _cut(text: str, size: int) -> str:
    data = text.encode()
    return text if len(data) <= size else data[:size].decode(errors="ignore").rstrip(" .")


def _ascii(name: str) -> str:
    """Accents are dropped, other scripts become underscores; `%` does, too: some clients would decode it."""
    letters = unicodedata.normalize("NFKD", name)
    kept = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return "".join(letter if " " <= letter <= "~" and letter not in '"\\%/' else "_" for letter in kept)


def _untaken(name: str, taken: set[str], counts: dict[str, int]) -> str:
    key = _folded(name)
    unique = name
    while _folded(unique) in taken:
        counts[key] = counts.get(key, 1) + 1
        unique = shortened(name, NAME_BYTES, f" ({counts[key]})")
    taken.add(_folded(unique))
    return unique


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()
