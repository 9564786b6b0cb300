"""aiohttp's routes, checked and compiled once: the tests start thousands of servers that all have the same ones, and to
make them anew takes a third of a start.

What a router made of a list of definitions is remembered. Another router that is given the same methods and paths gets
a copy of it, with the handlers of its own list.
"""

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from aiohttp import web
from aiohttp.web_urldispatcher import AbstractRoute, Resource, UrlDispatcher

T = TypeVar("T")
Made = list[tuple[str, Resource, list[tuple[AbstractRoute, int]]]]
"""Of each resource: its key in the index, itself, and its routes with the number of the definition that each is of."""

_register = UrlDispatcher.add_routes
_made: dict[tuple[Any, ...], Made] = {}


def remember() -> None:
    """From now on, for all routers of this process."""
    UrlDispatcher.add_routes = _add_routes  # type: ignore[method-assign]


def _add_routes(router: UrlDispatcher, routes: Iterable[web.AbstractRouteDef]) -> list[AbstractRoute]:
    definitions = [it for it in routes if isinstance(it, web.RouteDef)]
    what = tuple((it.method, it.path, *it.kwargs.items()) for it in definitions)
    if what in _made:
        return _copy(router, _made[what], definitions)
    before = len(router.resources())
    registered: dict[AbstractRoute, int] = {}
    for number, definition in enumerate(definitions):
        _register(router, [definition])
        registered |= {route: number for route in router._resources[-1] if route not in registered}
    new = router._resources[before:]
    _made[what] = [(router._get_resource_index_key(it), it, [(route, registered[route]) for route in it]) for it in new]
    return list(registered)


def _copy(router: UrlDispatcher, made: Made, definitions: Sequence[web.RouteDef]) -> list[AbstractRoute]:
    copied: list[AbstractRoute] = []
    for key, resource, routes in made:
        again = _same(resource)
        again._routes = {}
        for route, number in routes:
            own = again._routes[route.method] = _same(route)
            own._resource, own._handler = again, definitions[number].handler
            copied.append(own)
        router._resources.append(again)
        router._resource_index.setdefault(key, []).append(again)
    return copied


def _same(made: T) -> T:
    copy = object.__new__(type(made))
    copy.__dict__.update(made.__dict__)
    return copy
