"""Fonts of the system, of a folder that the operator names, and those inside Typst; which scripts none of them has."""

import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, Final

from server.exports.worker import coverage, limits

_INSIDE: Final = (
    (0x00, 0x58F), (0x1E00, 0x20CF), (0x2100, 0x23FF), (0x2500, 0x25FF), (0x2C60, 0x2C7F), (0xA720, 0xA7FF),
)  # fmt: skip
"""Latin, Greek, Cyrillic, punctuation, arrows, mathematics: Typst brings fonts with these."""
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Mn", "Zl", "Zp", "Zs"})
_EMOJI: Final = 0x1F000
_SCRIPTS: Final = {"CJK": "Han", "KANGXI": "Han", "IDEOGRAPHIC": "Han"}


class FontSet:
    """What Typst may use, and what of a text it cannot show."""

    def __init__(self, folder: str | None, *, system: bool = True) -> None:
        import typst

        self.typst: Any = typst.Fonts(include_system_fonts=system, font_paths=[folder] if folder else [])
        paths = dict.fromkeys(info.path for info in self.typst.fonts() if info.path is not None)
        self._paths = [Path(path) for path in paths]
        self._read: list[coverage.Ranges] = []

    def missing_scripts(self, texts: Iterable[str]) -> tuple[str, ...]:
        """Names of scripts, such as Han, Arabic, Emoji: at least one of their characters has no glyph."""
        missing: dict[str, None] = {}
        for code in sorted({ord(char) for text in texts for char in text}):
            script = script_of(code)
            if script is not None and script not in missing and not self._has(code):
                missing[script] = None
        return tuple(missing)[: limits.SCRIPTS]

    def _has(self, code: int) -> bool:
        return any(coverage.has(each, code) for each in self._read) or self._reads_until(code)

    def _reads_until(self, code: int) -> bool:
        """Fonts are opened only for characters that those before do not have: a system may have a thousand."""
        while len(self._read) < len(self._paths):
            self._read.append(coverage.of_font(self._paths[len(self._read)]))
            if coverage.has(self._read[-1], code):
                return True
        return False


@cache
def font_set(folder: str | None, *, system: bool) -> FontSet:
    """Found once for each process."""
    return FontSet(folder, system=system)


def script_of(code: int) -> str | None:
    """None for what Typst has itself, and for what has no picture: blanks, marks, controls."""
    char = chr(code)
    if any(first <= code <= last for first, last in _INSIDE) or unicodedata.category(char) in _UNSEEN:
        return None
    if code >= _EMOJI and unicodedata.category(char) in {"So", "Sk"}:
        return "Emoji"
    word = unicodedata.name(char, "UNKNOWN").split()[0]
    if unicodedata.category(char)[0] in "SP":
        return "Symbols"
    return _SCRIPTS.get(word, word.title())
