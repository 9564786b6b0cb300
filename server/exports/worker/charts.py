"""A chart (Vega-Lite) as SVG or PNG. Nothing is loaded: data stand in the chart."""

import re
from typing import Any, Final, Literal

import orjson

from server.exports.worker import limits
from server.exports.worker.kinds import HOW_TO_INSTALL, OUTPUTS
from server.previews.job import Job
from server.previews.preview import Output, Preview, PreviewFailed

_DATA: Final = frozenset({"values"})
_SIZE: Final = re.compile(r'<svg[^>]*?\swidth="([0-9.]+)"[^>]*?\sheight="([0-9.]+)"')
_ACTIVE: Final = re.compile(
    r'<(script|foreignObject|iframe|use|image)\b|\son[a-z]+\s*=|href\s*=\s*["\'](?!#)', re.IGNORECASE
)


def make(job: Job) -> Preview:
    """The job's file: `{"spec", "format", "fonts"}`; its output is named `chart`."""
    asked = orjson.loads(job.path.read_bytes())
    drawn = svg(asked["spec"], asked["fonts"])
    form: Literal["svg", "png"] = asked["format"]
    body = drawn.encode() if form == "svg" else _png(drawn)
    path = job.into / f"chart.{form}"
    path.write_bytes(body)
    return Preview((Output("chart", path, OUTPUTS[form], len(body)),))


def svg(spec: dict[str, Any], fonts: str | None) -> str:
    """Raises `PreviewFailed` for a chart that cannot be drawn."""
    if _names_address(spec):
        raise PreviewFailed("the chart would load something (`url`, `href`) when it is drawn")
    vega = _vega(fonts)
    try:
        drawn = str(vega.vegalite_to_svg(spec, allowed_base_urls=[], show_warnings=False))
    except (ValueError, RuntimeError, TypeError) as error:
        raise PreviewFailed(f"the chart cannot be drawn: {_sentence(error)}") from error
    if len(drawn) > limits.SVG_BYTES:
        raise PreviewFailed(f"the chart is larger than {limits.SVG_BYTES} bytes when it is drawn")
    if _ACTIVE.search(drawn):
        raise PreviewFailed("the chart would load or run something when it is drawn")
    return drawn


def _names_address(value: Any) -> bool:
    """Anywhere but in data, whose fields have any name. The engine would leave such a chart empty, without a word."""
    if isinstance(value, list):
        return any(map(_names_address, value))
    if not isinstance(value, dict):
        return False
    inner = (inner for key, inner in value.items() if key not in _DATA or not isinstance(inner, list))
    return any(name in value for name in ("url", "href")) or any(map(_names_address, inner))


def size(drawn: str) -> tuple[float, float]:
    """Width and height in pixels."""
    found = _SIZE.search(drawn)
    return (float(found[1]), float(found[2])) if found else (0.0, 0.0)


def _png(drawn: str) -> bytes:
    """Two pixels for each of the chart, which is sharp on a dense screen; fewer of a huge one."""
    width, height = size(drawn)
    scale = min(2.0, (limits.PIXELS / max(width * height, 1.0)) ** 0.5)
    try:
        return bytes(_vega(None).svg_to_png(drawn, scale=scale))
    except (ValueError, RuntimeError) as error:
        raise PreviewFailed(f"the chart cannot be drawn: {_sentence(error)}") from error


_with_fonts: set[str] = set()


def _vega(fonts: str | None) -> Any:
    try:
        import vl_convert
    except ImportError as error:
        raise PreviewFailed(f"charts need the extra `pdf`: {HOW_TO_INSTALL}") from error
    if fonts is not None and fonts not in _with_fonts:
        _with_fonts.add(fonts)
        vl_convert.register_font_directory(fonts)
    return vl_convert


def _sentence(error: Exception) -> str:
    """`…failed:`, the engine's own sentence, and the stack of its code."""
    lines = [line.strip() for line in str(error).splitlines()]
    said = [line for line in lines[1:] if line and not line.startswith("at ")]
    return (said or lines or [type(error).__name__])[0][:200].rstrip(".")
