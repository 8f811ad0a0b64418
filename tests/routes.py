"""List what an application answers, wherever its routers come from."""

from collections.abc import Iterator
from dataclasses import dataclass
from inspect import cleandoc

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import Mount


@dataclass(frozen=True, slots=True)
class Address:
    path: str
    methods: frozenset[str]
    says: str
    """The first line of what the code says about it."""


def addresses_of(app: FastAPI) -> Iterator[Address]:
    for context in iter_route_contexts(app.routes):
        if isinstance(context.route, Mount):
            says = _first_line(type(context.route.app).__doc__)
            yield Address(f"{context.route.path}/…", frozenset({"GET"}), says)
        elif context.path is not None:
            methods = frozenset(context.methods or ()) - {"HEAD"}
            yield Address(context.path, methods, _first_line(context.endpoint.__doc__))


def _first_line(text: str | None) -> str:
    return cleandoc(text).splitlines()[0] if text else ""
