"""Build the ASGI application: routes, pages, error pages, the guard around them."""

import asyncio
import gc
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from fastapi import APIRouter, Depends, FastAPI, params
from fastapi.telemetry import TelemetryConfig
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import Receive, Scope, Send

from citizen_account.bootstrap import Runtime, build_runtime
from citizen_account.jobs.worker import Worker
from citizen_account.resources import STATIC
from citizen_account.settings import Settings
from citizen_account.telemetry import configure_logging
from citizen_account.telemetry.lines import settle_lines
from citizen_account.web import (
    admin,
    api,
    development,
    errors,
    health,
    metrics,
    oidc,
    portal,
)
from citizen_account.web.dependencies import language_of
from citizen_account.web.frames import wished_language
from citizen_account.web.methods import answer_head
from citizen_account.web.middleware import Guard
from citizen_account.web.pages import Pages
from citizen_account.web.shortcut import Busiest, Entrance
from citizen_account.web.static_files import PREFIX, StaticFiles


class Application(FastAPI):
    """Has a door of its own for the busiest addresses, past a handful of layers.

    The guard stands there as well.
    """

    def lead_past(self, busiest: Busiest, runtime: Runtime) -> None:
        self._busiest = busiest
        self._guarded = Guard(busiest, runtime)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._busiest.knows(scope):
            scope["app"] = self
            await self._guarded(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def create_app(
    runtime: Runtime, *, with_worker: bool = False, more_routes: Sequence[BaseRoute] = ()
) -> FastAPI:
    """Return the application. A worker inside it suits the embedded default: one process."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        worker = Worker(runtime)
        running = asyncio.create_task(worker.run()) if with_worker else None
        yield
        worker.stop()
        if running is not None:
            await running
        await runtime.connectors.close()
        await runtime.outbound.close()
        await runtime.upstreams.close()
        await runtime.database.close()
        if runtime.tracer is not None:
            await asyncio.to_thread(runtime.tracer.close)
        await asyncio.to_thread(settle_lines)

    static_files = _static_files(runtime)
    own = development.ROUTES if runtime.is_development else ()
    plain = (*oidc.ROUTES, *health.ROUTES, *metrics.ROUTES, *portal.ROUTES)
    routes = [Route("/", home), *plain, *own, *more_routes]
    # Traces and metrics are ours: FastAPI's would hold addresses with the ids in them.
    silent = TelemetryConfig(tracing=False, metrics=False, logs=False)
    app = Application(lifespan=lifespan, routes=routes, openapi_url=None, telemetry=silent)
    app.router.routes.append(Mount(PREFIX, static_files))
    app.state.runtime = runtime
    app.state.pages = Pages(
        *runtime.template_folders, static_files=static_files, translations=runtime.translations
    )
    # Administrators' addresses first: theirs begin with a word where the others have a language.
    for router in (*admin.ROUTERS, *api.ROUTERS, *oidc.ROUTERS, *portal.ROUTERS):
        # The API answers what its document says.
        if router not in api.ROUTERS:
            answer_head(router)
        app.include_router(router, dependencies=_dependencies_of(router))
    errors.install(app)
    app.add_middleware(Entrance)
    app.add_middleware(Guard, runtime=runtime)
    app.lead_past(Busiest(oidc.BUSIEST), runtime)
    return app


def _static_files(runtime: Runtime) -> StaticFiles:
    """Return our files; a city's own lie in `static` beside its templates, and hide ours."""
    own = (folder / "static" for folder in runtime.template_folders)
    static_files = StaticFiles(*(folder for folder in own if folder.is_dir()), STATIC)
    if f"brand/{runtime.city.brand}.css" not in static_files.files:
        raise ValueError(f"CITIZEN_BRAND: there is no static/brand/{runtime.city.brand}.css")
    return static_files


def _dependencies_of(router: APIRouter) -> list[params.Depends]:
    """Let no page of a language that we do not offer exist."""
    return [Depends(language_of)] if "{language}" in router.prefix else []


async def home(request: Request) -> Response:
    """Lead to the overview, which leads on to the sign-in page where needed."""
    return RedirectResponse(f"/{wished_language(request)}/dashboard", 303)


def from_environment() -> FastAPI:
    """Build the application of this environment, for `uvicorn --factory`."""
    return _build(with_worker=False)


def from_environment_with_worker() -> FastAPI:
    """Build it with the worker inside, as `serve` does for one process."""
    return _build(with_worker=True)


def _build(*, with_worker: bool) -> FastAPI:
    configure_logging(in_background=True)
    app = create_app(build_runtime(Settings()), with_worker=with_worker)
    # What is here now stays to the end of the process: looking whether it may go would hold up
    # a request for a twentieth of a second, every few minutes.
    gc.collect()
    gc.freeze()
    return app
