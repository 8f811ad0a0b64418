"""Build the account of the small city: prepared, with its worker inside and the paper mail."""

from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from fastapi import FastAPI

from citizen_account.app import create_app
from citizen_account.bootstrap import Runtime, build_runtime
from citizen_account.demo import seed
from citizen_account.demo.city import SmallCity
from citizen_account.demo.letters import Letters
from citizen_account.settings import Settings
from citizen_account.telemetry import configure_logging

TEMPLATES = Path(__file__).parent / "templates"


async def build(folder: Path) -> FastAPI:
    """Return the application of this environment, once its database is ready."""
    configure_logging()
    settings = Settings()
    database_url = settings.database_url.get_secret_value()
    city = SmallCity.in_folder(folder, urlsplit(settings.issuer).port or 80, database_url)
    await _prepare(city, build_runtime(settings), database_url)
    # Another loop serves: nothing that the preparation opened may be carried over.
    runtime = build_runtime(settings)
    folders = (*runtime.template_folders, TEMPLATES)
    return create_app(
        replace(runtime, template_folders=folders),
        with_worker=True,
        more_routes=Letters(city.links_file).routes,
    )


async def _prepare(city: SmallCity, runtime: Runtime, database_url: str) -> None:
    try:
        await seed.seed_account(city, runtime, database_url)
    finally:
        await runtime.database.close()
