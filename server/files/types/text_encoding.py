"""Whether bytes are text, and in which encoding."""

import codecs
import re
from dataclasses import dataclass

BOMS = (  # UTF-32 first: its mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
CONTROLS = re.compile("[\x00-\x06\x0e-\x1a\x1c-\x1f\x7f]")
"""Characters that no text has: all of C0 but bell, backspace, white space and escape, as in terminals' logs."""
FOREIGN_PART = 0.15
"""Of a text in windows-1252, how much may be no ASCII: more is likely to be no text."""


@dataclass(frozen=True, slots=True)
class Text:
    text: str
    """Without its byte order mark."""
    charset: str
    """As `charset=` has it."""


def decode_text(data: bytes, *, whole: bool = True) -> Text | None:
    """The text that the bytes are, or None. The beginning of a file is not `whole`: it may end inside a character."""
    for bom, encoding in BOMS:
        if data.startswith(bom):
            return _decoded(data[len(bom) :], encoding, whole)
    return _decoded(data, "utf-8", whole) or _western(data)


def _decoded(data: bytes, encoding: str, whole: bool) -> Text | None:
    try:
        text = codecs.getincrementaldecoder(encoding)("strict").decode(data, final=whole)
    except UnicodeDecodeError:
        return None
    charset = encoding.removesuffix("-le").removesuffix("-be")
    return None if CONTROLS.search(text) else Text(text, charset)


def _western(data: bytes) -> Text | None:
    """What old editors of Windows write. Other encodings of one byte cannot be told apart."""
    foreign = len(data.translate(None, bytes(range(128))))
    return _decoded(data, "windows-1252", True) if foreign <= FOREIGN_PART * len(data) else None
