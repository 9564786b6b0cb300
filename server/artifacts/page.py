"""An artifact as one HTML file: no script, nothing from elsewhere, whatever its authors wrote.

Markdown goes through the same allow-list as messages do; all else is escaped. A policy in the page itself forbids
scripts and addresses, so that the file stays harmless wherever it is opened.
"""

import base64
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from typing import Final

from actors import limits
from actors.resources.artifacts import markdown
from actors.resources.artifacts.outline import (
    Cell,
    Chart,
    Figure,
    Heading,
    Link,
    Metric,
    Panel,
    Part,
    Place,
    Table,
    Text,
    chart_data,
)
from server.artifacts.images import NO_IMAGES, Image, Images
from server.resources.blocks.html import html_of

POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
STYLE: Final = """
:root{color-scheme:light dark}
body{font:16px/1.55 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;overflow-wrap:break-word}
h1,h2,h3{line-height:1.25}
table{border-collapse:collapse;margin:1rem 0;display:block;overflow-x:auto}
th,td{border:1px solid #8886;padding:.3rem .6rem;text-align:left;vertical-align:top}
td.n{text-align:right;font-variant-numeric:tabular-nums}
pre{white-space:pre-wrap}
blockquote{border-left:3px solid #8886;margin-left:0;padding-left:1rem}
figure{margin:1rem 0}
figure img{max-width:100%;background:#fff}
figcaption,.meta{color:#777;font-size:.9em}
.metric{font-size:1.8rem;font-weight:600}
.grid{display:grid;gap:1rem;grid-template-columns:repeat(12,minmax(0,1fr))}
.grid section{border:1px solid #8886;border-radius:.5rem;padding:.6rem 1rem;overflow:auto;grid-column:span 12}
.grid h2{font-size:1rem;margin:.2rem 0}
@media print{body{max-width:none}}
"""
Pictures = Mapping[int, bytes]
"""The place of a chart among all charts → its SVG."""
NO_PICTURES: Final[Pictures] = {}


def page(
    title: str, parts: Sequence[Part], about: str = "", pictures: Pictures = NO_PICTURES, columns: int = 12,
    images: Images = NO_IMAGES,
) -> str:  # fmt: skip
    """`columns`: of the grid of a dashboard; `images`: of its figures. Takes up to
    `limits.EXPORT_SECONDS`: not for the event loop."""
    return _Page(pictures, columns, images).of(title, parts, about)


class _Page:
    def __init__(self, pictures: Pictures, columns: int, images: Images) -> None:
        self._pictures = pictures
        self._images = images
        self._columns = columns
        self._charts = 0
        self._until = time.monotonic() + limits.EXPORT_SECONDS

    def of(self, title: str, parts: Sequence[Part], about: str) -> str:
        named = escape(title)
        meta = f'<p class="meta">{escape(about)}</p>' if about else ""
        return (
            '<!doctype html>\n<html><head><meta charset="utf-8">'
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
            '<meta name="viewport" content="width=device-width,initial-scale=1">'
            '<meta name="referrer" content="no-referrer">'
            f"<title>{named}</title><style>{STYLE}</style></head>\n<body><h1>{named}</h1>{meta}\n"
            f"{self._body(parts)}\n</body></html>\n"
        )

    def _body(self, parts: Sequence[Part]) -> str:
        if not any(isinstance(part, Panel) for part in parts):
            return "\n".join(map(self._part, parts))
        style = f"grid-template-columns:repeat({self._columns:d},minmax(0,1fr))"
        return f'<div class="grid" style="{style}">' + "\n".join(map(self._part, parts)) + "</div>"

    def _part(self, part: Part) -> str:
        make: Callable[[Part], str] = getattr(self, f"_{type(part).__name__.lower()}")
        return make(part)

    def _heading(self, part: Heading) -> str:
        return f"<h{part.level:d}>{escape(part.text)}</h{part.level:d}>"

    def _text(self, part: Text) -> str:
        return "\n".join(map(self._piece, pieces(part.markdown)))

    def _piece(self, text: str) -> str:
        return f"<pre>{escape(text)}</pre>" if time.monotonic() > self._until else html_of([text])

    def _table(self, part: Table) -> str:
        head = f"<thead><tr>{''.join(f'<th>{escape(name)}</th>' for name in part.columns)}</tr></thead>"
        rows = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in part.rows)
        return _figure(f"<table>{head if part.columns else ''}<tbody>{rows}</tbody></table>", part.caption)

    def _chart(self, part: Chart) -> str:
        number, self._charts = self._charts, self._charts + 1
        picture = self._pictures.get(number)
        if picture is not None:
            source = f"data:image/svg+xml;base64,{base64.b64encode(picture).decode()}"
            return _figure(f'<img alt="{escape(part.alt)}" src="{source}">', part.caption)
        found = chart_data(part.spec)
        inner = self._table(Table(found.columns, found.rows)) if found else ""
        return _figure((f"<p>{escape(part.alt)}</p>" if part.alt else "") + inner, part.caption)

    def _figure(self, part: Figure) -> str:
        image = self._images.get(part.file_id)
        if isinstance(image, Image):
            source = f"data:{image.media_type};base64,{base64.b64encode(image.body).decode()}"
            return _figure(f'<img alt="{escape(part.alt)}" src="{source}">', part.caption)
        shown = _link(part.url, part.alt) if part.url else escape(markdown.missing_image(part.alt, image))
        return _figure(f"<p>{shown}</p>", part.caption)

    def _metric(self, part: Metric) -> str:
        return _figure(f'<p class="metric">{escape(markdown.metric_text(part))}</p>', part.caption)

    def _link(self, part: Link) -> str:
        return f"<p>{_link(part.url, part.text or part.url)}</p>"

    def _panel(self, part: Panel) -> str:
        title = f"<h2>{escape(part.title)}</h2>" if part.title else ""
        return f'<section style="{_grid(part.place, self._columns)}">{title}{self._part(part.part)}</section>'


def _grid(place: Place | None, columns: int) -> str:
    if place is None:
        return f"grid-column:span {columns:d}"
    return f"grid-column:{place.x + 1:d}/span {place.w:d};grid-row:{place.y + 1:d}/span {place.h:d}"


def _figure(inner: str, caption: str) -> str:
    return f"<figure>{inner}<figcaption>{escape(caption)}</figcaption></figure>" if caption else inner


def _cell(cell: Cell) -> str:
    is_number = isinstance(cell, int | float) and not isinstance(cell, bool)
    return f"<td{' class=n' if is_number else ''}>{escape(markdown.text(cell))}</td>"


def _link(url: str, text: str) -> str:
    """Only where it is an address that was checked as one."""
    if not url.startswith(("https://", "http://")):
        return escape(text)
    return f'<a href="{escape(url)}" rel="noopener noreferrer nofollow">{escape(text)}</a>'


def pieces(text: str) -> Iterator[str]:
    """Markdown in pieces that are quickly rendered, cut where a paragraph ends and no fence is open."""
    piece: list[str] = []
    size, is_open = 0, False
    for line in text.split("\n"):
        is_open ^= line.lstrip().startswith(("```", "~~~"))
        if not line.strip() and not is_open and size > limits.EXPORT_TEXT_CHARS:
            yield "\n".join(piece)
            piece, size = [], 0
        piece.append(line)
        size += len(line) + 1
    yield "\n".join(piece)
