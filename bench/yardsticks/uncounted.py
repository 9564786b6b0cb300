"""`xp serve` that measures nothing: what the metrics cost shows beside it."""

from typing import Any

from actors.measures import Histogram, Measures
from cli.main import main
from server.telemetry.measures import ServerMeasures


def _nothing(*_: Any, **__: Any) -> None: ...


for measuring, names in ((Histogram, ("observe",)), (Measures, ("turn",)), (ServerMeasures, ("operation", "request"))):
    for name in names:
        setattr(measuring, name, _nothing)

if __name__ == "__main__":
    main(prog_name="xp")
