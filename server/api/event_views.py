"""The data of an event as clients see it: a view for each kind, registered beside its resource.

All subscribers share an event, so it has no field that differs from viewer to viewer.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import create_model

from actors.events import EphemeralKind, EventKind
from server.api.fields import View


class DataView(NamedTuple):
    view: Any
    """A model, or a union of models, for the documents."""
    render: Callable[[Any, Any], dict[str, Any]]
    """(event, its data) → JSON."""


DataViews = Mapping[EventKind, DataView]
EphemeralViews = Mapping[EphemeralKind, DataView]


def shared(view: type[View], *, without: Sequence[str] = (), **others: Any) -> type[View]:
    """The view without the fields that differ from viewer to viewer."""
    fields: dict[str, Any] = {
        name: (field.annotation, field) for name, field in view.model_fields.items() if name not in without
    }
    fields |= {name: (annotation, ...) for name, annotation in others.items()}
    return create_model(f"Shared{view.__name__}", __base__=View, **fields)
