"""Charts that were drawn lately: a page that many readers open is drawn once."""

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import orjson

from actors import limits


class DrawnCharts:
    """SVG by the chart; the ones that were not used for longest go first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, bytes] = OrderedDict()
        self.size = 0

    def find(self, spec: Mapping[str, Any]) -> bytes | None:
        key = _key(spec)
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def keep(self, spec: Mapping[str, Any], picture: bytes) -> None:
        key = _key(spec)
        self.size += len(picture) - len(self._kept.pop(key, b""))
        self._kept[key] = picture
        while self.size > limits.DRAWN_CHARTS_BYTES:
            self.size -= len(self._kept.popitem(last=False)[1])


def _key(spec: Mapping[str, Any]) -> bytes:
    return hashlib.sha256(orjson.dumps(spec, option=orjson.OPT_SORT_KEYS)).digest()
