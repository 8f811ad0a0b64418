"""Build the national eID of the small city: our own provider once more, plainly a test."""

from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from fastapi import FastAPI

from citizen_account.app import create_app
from citizen_account.bootstrap import Runtime, build_runtime
from citizen_account.demo import seed
from citizen_account.demo.city import Part, SmallCity
from citizen_account.domain.accounts import Level, SignInMethod
from citizen_account.settings import Settings
from citizen_account.telemetry import configure_logging

# A real eID checks a card and its PIN. Ours pretends to, so that the city has a high level to show.
PRETENDED_CARD = SignInMethod(("hwk", "pin"), Level.HIGH)


async def build(folder: Path) -> FastAPI:
    """Return the application of this environment, once its database is ready."""
    configure_logging()
    settings = Settings()
    port = (urlsplit(settings.issuer).port or 80) - list(Part).index(Part.EID)
    await _prepare(
        SmallCity.in_folder(folder, port),
        build_runtime(settings),
        settings.database_url.get_secret_value(),
    )
    runtime = replace(build_runtime(settings), password_method=PRETENDED_CARD)
    return create_app(runtime, with_worker=True)


async def _prepare(city: SmallCity, runtime: Runtime, database_url: str) -> None:
    try:
        await seed.seed_eid(city, runtime, database_url)
    finally:
        await runtime.database.close()
