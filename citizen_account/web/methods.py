"""Know which methods an address answers."""

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import Mount


def answer_head(router: APIRouter) -> None:
    """Let a router's pages answer HEAD wherever they answer GET (RFC 9110 section 9.1).

    The server leaves the body out.
    """
    for route in router.routes:
        if isinstance(route, APIRoute) and route.methods is not None and "GET" in route.methods:
            route.methods.add("HEAD")


def methods_at(app: FastAPI, path: str) -> frozenset[str]:
    """Return every method of an address, also where each has a route of its own."""
    known = [each for each in iter_route_contexts(app.routes) if not isinstance(each.route, Mount)]
    matching = [each for each in known if each.path_regex.match(path)]
    # The first one's pattern is the address; others may match the same words by chance.
    return frozenset().union(
        *(each.methods or () for each in matching if each.path == matching[0].path)
    )
