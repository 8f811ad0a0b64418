"""Run one part of the small city: `python -m citizen_account.demo.part account 8000 var`."""

import asyncio
import os
import signal
import sys
import threading
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from citizen_account.demo.city import Part

GRACE_SECONDS = 5


def main(name: str, port: str, folder: str) -> None:
    part = Part(name)
    _end_with_supervisor()
    app = _build(part, Path(folder))
    uvicorn.run(
        app,
        # Both loopback addresses: a browser may ask for either.
        host="localhost",
        port=int(port),
        http="httptools",
        loop="uvloop",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


def _build(part: Part, folder: Path) -> ASGIApp:
    # Imported late: the Library must not wait for the account's imports, nor may it need them.
    match part:
        case Part.ACCOUNT:
            from citizen_account.demo import account  # noqa: PLC0415  # as said above

            return asyncio.run(account.build(folder))
        case Part.EID:
            from citizen_account.demo import eid  # noqa: PLC0415  # as said above

            return asyncio.run(eid.build(folder))
        case Part.LIBRARY:
            from citizen_account.demo.library import app  # noqa: PLC0415  # as said above

            return app.from_environment()
        case Part.EMULATORS:
            from citizen_account.demo.emulators import app as emulators  # noqa: PLC0415  # as said above

            links = Path(os.environ["EMULATORS_LINKS_FILE"])
            return emulators.build_systems(links_file=links).app


def _end_with_supervisor() -> None:
    """Stop when the other end of the standard input is gone, even if it was killed."""

    def wait() -> None:
        # Not by the buffered reader: the interpreter could not end while this waits.
        while os.read(sys.stdin.fileno(), 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()


if __name__ == "__main__":
    main(*sys.argv[1:])
