"""Serve the account, and work off what nobody waits for."""

import asyncio
import signal
from typing import Annotated

import typer
import uvicorn

from citizen_account.bootstrap import build_runtime
from citizen_account.cli.failures import CommandError, require_tables
from citizen_account.cli.listening import PatientProtocol
from citizen_account.jobs.worker import Worker
from citizen_account.settings import Settings
from citizen_account.telemetry import configure_logging
from citizen_account.telemetry.metrics import counted_together

GRACE_SECONDS = 20
# A process answers once it has imported everything: on a busy machine that takes more than the
# server's own five seconds, after which it would be ended and begun again for ever. One that dies
# in between is noticed after so long.
START_SECONDS = 30


def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.")] = 8000,
    workers: Annotated[int, typer.Option(help="How many processes.", min=1)] = 1,
    *,
    worker: Annotated[
        bool | None,
        typer.Option(help="Run the worker inside: as one process does unless told otherwise."),
    ] = None,
) -> None:
    """Serve the account until it is told to stop; requests that have begun are finished."""
    settings = Settings()
    if worker and workers > 1:
        raise CommandError("several processes need `citizen-account worker` beside them")
    is_embedded = workers == 1 and worker is not False
    asyncio.run(require_tables(settings))
    factory = "from_environment_with_worker" if is_embedded else "from_environment"
    configure_logging()
    with counted_together(workers if settings.metrics_token else 1):
        uvicorn.run(
            f"citizen_account.app:{factory}",
            factory=True,
            host=host,
            port=port,
            workers=workers,
            http=PatientProtocol,
            loop="uvloop",
            access_log=False,
            log_config=None,
            server_header=False,
            # Our own code reads forwarded headers, from trusted proxies only.
            proxy_headers=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
            timeout_worker_healthcheck=START_SECONDS,
        )


def work() -> None:
    """Send mail, call services back, refresh snapshots: beside `serve` in several processes."""
    configure_logging()
    asyncio.run(_work(Settings()))


async def _work(settings: Settings) -> None:
    await require_tables(settings)
    runtime = build_runtime(settings)
    worker = Worker(runtime)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, worker.stop)
    try:
        await worker.run()
    finally:
        await runtime.database.close()
        if runtime.tracer is not None:
            runtime.tracer.close()
