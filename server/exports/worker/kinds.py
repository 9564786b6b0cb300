"""Jobs of an export: what they are called, what comes out of them, and what they need."""

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Final

CHART: Final = "chart"
DOCUMENT: Final = "document"
OUTPUTS: Final[Mapping[str, str]] = {"svg": "image/svg+xml", "png": "image/png", "pdf": "application/pdf"}
"""Extension → media type."""
EXTRA: Final = ("typst", "vl_convert")
HOW_TO_INSTALL: Final = "pip install 'experience-server[pdf]'"


def missing_extra() -> str | None:
    """A sentence where charts and PDF cannot be made; None where all is there."""
    missing = [name for name in EXTRA if find_spec(name) is None]
    if not missing:
        return None
    return f"PDF, SVG and PNG need the extra `pdf` on the server ({HOW_TO_INSTALL}); missing: {', '.join(missing)}."
