"""Run the small city's systems in a test, within the process or behind a real socket."""

import asyncio
import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx2
import uvicorn

from citizen_account.connector_sdk.auth import ApiKey, Credentials, JwtClient
from citizen_account.connector_sdk.errors import (
    ConnectorError,
    Misconfigured,
    RateLimited,
    Refused,
    Unavailable,
)
from citizen_account.connector_sdk.http import ConnectorHttp
from citizen_account.connector_sdk.settings_schema import read_settings_schema
from citizen_account.demo.emulators.access import Access
from citizen_account.demo.emulators.app import Systems, build_systems
from citizen_account.demo.emulators.faults import Fault, Order
from tests.factories import Clock
from tests.postgres import free_port

BASE = "http://city.example"
SUBJECT = "abcdefgh23456777"
OTHER = "zzzzzzzz22222222"
ACCESS = Access()


class City:
    """The systems of one test, their clock and their faults."""

    def __init__(self, clock: Clock | None = None, base: str = BASE) -> None:
        self.clock = clock or Clock()
        self.systems: Systems = build_systems(clock=self.clock, access=ACCESS)
        self.base = base
        self.transport: httpx2.AsyncBaseTransport = httpx2.ASGITransport(app=self.systems.app)

    def client(self, headers: Mapping[str, str] | None = None) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(base_url=self.base, transport=self.transport, headers=headers)

    def fails(self, standard: str, fault: Fault, **details: object) -> None:
        order = Order.model_validate({"standard": standard, "fault": fault, **details})
        assert self.systems.faults.set(order)

    def http(
        self, mount: str, credentials: Credentials | None = None, *peers: str, seconds: float = 5
    ) -> ConnectorHttp:
        """Return what the host gives to a connector; peers take the same credentials."""
        beside = {name: self._http(name, credentials, seconds) for name in peers}
        return self._http(mount, credentials, seconds, beside)

    def _http(
        self,
        mount: str,
        credentials: Credentials | None,
        seconds: float,
        peers: Mapping[str, ConnectorHttp] | None = None,
    ) -> ConnectorHttp:
        return ConnectorHttp(
            f"{self.base}/{mount}/",
            self.transport,
            credentials=credentials,
            timeout_seconds=seconds,
            peers=peers,
        )

    @property
    def zgw_credentials(self) -> JwtClient:
        return JwtClient(ACCESS.zgw_client_id, ACCESS.zgw_secret, self.clock)

    async def zgw_headers(self) -> dict[str, str]:
        async def no_form(*_: object) -> object:
            raise AssertionError("nothing is posted")

        return dict(await self.zgw_credentials.headers(no_form))


VERA_KEY = ApiKey(ACCESS.vera_key)
PARKING_KEY = ApiKey(ACCESS.parking_key)


@contextmanager
def served(city: City) -> Iterator[str]:
    """Yield the address of the city behind a real socket, where connections can break."""
    port = free_port()
    options = uvicorn.Config(city.systems.app, port=port, log_level="critical", lifespan="off")
    server = uvicorn.Server(options)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    try:
        while not server.started:
            threading.Event().wait(0.01)
        city.base = f"http://127.0.0.1:{port}"
        city.transport = httpx2.AsyncHTTPTransport()
        yield city.base
    finally:
        server.should_exit = True
        thread.join(timeout=10)


# What each fault of a source must become: nothing else reaches the host.
BECOMES: Mapping[Fault, type[ConnectorError]] = {
    Fault.SLOW: Unavailable,
    Fault.DOWN: Unavailable,
    Fault.REFUSE: Refused,
    Fault.MALFORMED: Unavailable,
    Fault.RATE_LIMITED: RateLimited,
    Fault.UNAUTHORIZED: Misconfigured,
    Fault.HUGE: Unavailable,
}


def settings_of(connector: str) -> dict[str, str]:
    """Return the settings that an operator gets who writes none."""
    folder = Path(__file__).parents[2] / "connectors" / connector
    return read_settings_schema(folder / "config.schema.json").complete({})


def leaks(error: BaseException, records: Sequence[logging.LogRecord], *words: str) -> list[str]:
    """Return which of the words stand in the error or in a log line."""
    said = [str(error), repr(error), *(record.getMessage() for record in records)]
    return [word for word in words if any(word in line for line in said)]
