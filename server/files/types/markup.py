"""Whether text is HTML, SVG or XML: as a browser would see it, not as its name says."""

import re

HTML = "text/html"
SVG = "image/svg+xml"
XML = "application/xml"

HTML_TAGS = frozenset(
    {"html", "head", "body", "script", "iframe", "h1", "div", "font", "table", "a", "style", "title", "b", "br", "p"}
    | {"frameset", "img", "form", "meta", "link", "object", "embed", "base", "video", "audio", "math", "input"}
    | {"button", "template"}
)
"""Those of the WHATWG's sniffing, and those that can run script as the first of a fragment."""
TAG = re.compile(r"<([a-zA-Z][\w.-]*:)?([a-zA-Z][\w.-]*)(?=[\s/>]|$)")
DOCTYPE = re.compile(r"<!doctype\s+([^\s>\[]+)", re.IGNORECASE)
ACTIVE = re.compile(
    rb"<\s*(?:script|html|body|iframe|svg|object|embed|!doctype\s+html)[\s/>]|javascript:", re.IGNORECASE
)
"""What HTML that hides in another file begins with."""


def markup_type(text: str) -> str | None:
    """HTML, SVG or XML by the first tag of the text: byte order marks, white space, comments, processing instructions
    and a document type may stand before it. None where the text begins with something else."""
    place = _skip(text, 0)
    xml = text[:place].lstrip("\ufeff \t\r\n\f").startswith("<?xml")
    doctype = DOCTYPE.match(text, place)
    if doctype and doctype[1].lower() == "html":
        return HTML
    if doctype:
        place = _skip(text, _end_of_doctype(text, doctype.end()))
    tag = TAG.match(text, place)
    if tag is None:
        return _of_what_is_left(text, place, xml=xml or bool(doctype))
    return _of_root(tag[2].lower(), xml=xml or bool(doctype) or "xmlns" in text[place : place + 1024])


def has_active_markup(data: bytes) -> bool:
    """Whether a file of another type holds HTML that a browser would run, if it took the file for HTML."""
    return ACTIVE.search(data) is not None


def _of_root(root: str, *, xml: bool) -> str | None:
    if root == "svg":
        return SVG
    if root in HTML_TAGS:
        return HTML
    return XML if xml else None


def _of_what_is_left(text: str, place: int, *, xml: bool) -> str | None:
    """Nothing but a beginning: comments alone are HTML to a browser."""
    if xml:
        return XML
    return HTML if text.startswith("<!--", len(text[:place]) - len(text[:place].lstrip())) else None


def _skip(text: str, place: int) -> int:
    """Past white space, comments and processing instructions; each is looked at once."""
    while True:
        while place < len(text) and text[place] in "\ufeff \t\r\n\f":
            place += 1
        if text.startswith("<!--", place):
            end = text.find("-->", place + 2)
        elif text.startswith("<?", place):
            end = text.find("?>", place)
        else:
            return place
        if end < 0:
            return len(text)
        place = text.index(">", end) + 1


def _end_of_doctype(text: str, place: int) -> int:
    """Past its `>`, and past an internal subset in brackets."""
    end, subset = text.find(">", place), text.find("[", place)
    if 0 <= subset < end:
        closing = text.find("]", subset)
        end = text.find(">", closing) if closing >= 0 else -1
    return end + 1 if end >= 0 else len(text)
