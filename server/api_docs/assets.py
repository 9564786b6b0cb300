"""Static files of the pages, held in memory. An address has a digest of the content: a browser may keep it for good."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).parents[1] / "static" / "docs"
_FILES: Final[Mapping[str, str]] = {
    "page.css": "text/css",
    "start.js": "text/javascript",
    "swagger-ui/swagger-ui-bundle.js": "text/javascript",
    "swagger-ui/swagger-ui.css": "text/css",
}


@dataclass(frozen=True, slots=True)
class Asset:
    name: str
    digest: str
    media_type: str
    body: bytes

    @property
    def path(self) -> str:
        return f"/docs/static/{self.digest}/{self.name}"


@cache
def assets() -> Mapping[str, Asset]:
    """By name."""
    return {asset.name: asset for asset in map(_read, _FILES)}


def _read(file: str) -> Asset:
    body = (_FOLDER / file).read_bytes()
    digest = hashlib.blake2b(body, digest_size=8).hexdigest()
    return Asset(Path(file).name, digest, _FILES[file], body)
