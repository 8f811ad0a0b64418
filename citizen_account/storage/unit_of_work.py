"""Open one transaction: leaving the block commits, an exception rolls back."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from citizen_account.domain.errands import Mail
from citizen_account.domain.events import Event
from citizen_account.domain.transactions import in_transaction
from citizen_account.security.sealing import Sealer
from citizen_account.storage.accounts import Accounts
from citizen_account.storage.assertions import Assertions
from citizen_account.storage.audit import Audit
from citizen_account.storage.base import open_engines
from citizen_account.storage.chain import Chain
from citizen_account.storage.challenges import Challenges
from citizen_account.storage.client_sessions import ClientSessions
from citizen_account.storage.clients import Clients
from citizen_account.storage.connections import Connections
from citizen_account.storage.connector_health import ConnectorHealths
from citizen_account.storage.consents import Consents
from citizen_account.storage.credentials import Credentials
from citizen_account.storage.grants import Grants
from citizen_account.storage.interactions import Interactions
from citizen_account.storage.keys import Keys
from citizen_account.storage.ledger import Ledger
from citizen_account.storage.logout_deliveries import LogoutDeliveries
from citizen_account.storage.mailbox import Mailbox
from citizen_account.storage.messages import Messages
from citizen_account.storage.outbox import Outbox
from citizen_account.storage.places import Places
from citizen_account.storage.proofs import Proofs
from citizen_account.storage.pushed_requests import PushedRequests
from citizen_account.storage.roles import Roles
from citizen_account.storage.saved_forms import SavedForms
from citizen_account.storage.schedule import Schedule
from citizen_account.storage.sessions import Sessions
from citizen_account.storage.snapshots import Snapshots
from citizen_account.storage.tables import METADATA
from citizen_account.storage.throttles import Throttles
from citizen_account.storage.upstreams import UpstreamIdentities, UpstreamLogins

Clock = Callable[[], datetime]


class UnitOfWork:
    """One transaction with one instant, `now`, for all that happens in it."""

    def __init__(self, connection: AsyncConnection, sealer: Sealer, now: datetime) -> None:
        self.now = now
        self.accounts = Accounts(connection, sealer)
        self.assertions = Assertions(connection)
        self.audit = Audit(connection)
        self.chain = Chain(connection)
        self.challenges = Challenges(connection, sealer)
        self.client_sessions = ClientSessions(connection)
        self.clients = Clients(connection)
        self.connector_health = ConnectorHealths(connection)
        self.consents = Consents(connection)
        self.connections = Connections(connection, sealer)
        self.credentials = Credentials(connection)
        self.grants = Grants(connection)
        self.interactions = Interactions(connection, sealer)
        self.keys = Keys(connection, sealer)
        self.ledger = Ledger(connection)
        self.logout_deliveries = LogoutDeliveries(connection)
        self.mailbox = Mailbox(connection)
        self.messages = Messages(connection, sealer)
        self.outbox = Outbox(connection, sealer)
        self.places = Places(connection, sealer)
        self.proofs = Proofs(connection)
        self.pushed_requests = PushedRequests(connection, sealer)
        self.roles = Roles(connection)
        self.saved_forms = SavedForms(connection, sealer)
        self.schedule = Schedule(connection)
        self.sessions = Sessions(connection, sealer)
        self.snapshots = Snapshots(connection, sealer)
        self.throttles = Throttles(connection, sealer, now)
        self.upstream_identities = UpstreamIdentities(connection, sealer)
        self.upstream_logins = UpstreamLogins(connection, sealer)
        self._events: list[Event] = []

    def record(self, event: Event) -> None:
        """Remember what happened; it is written when the block ends, in the same transaction."""
        self._events.append(event)

    async def send_mail(self, mail: Mail) -> None:
        """Ask for a message; it leaves once this transaction is kept."""
        await self.outbox.add_mail(mail, self.now)

    async def write_events(self) -> None:
        follow_ups = [event for event in self._events if event.has_follow_up]
        if self._events:
            await self.audit.add(self._events, self.now)
        if follow_ups:
            await self.outbox.add_events(follow_ups, self.now)


class Database:
    def __init__(self, url: str, sealer: Sealer, clock: Clock) -> None:
        self.engines = open_engines(url)
        self.sealer = sealer
        self._clock = clock

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[UnitOfWork]:
        async with self.engines.writer.begin() as connection:
            uow = UnitOfWork(connection, self.sealer, self._clock())
            with _marked():
                yield uow
            await uow.write_events()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[UnitOfWork]:
        """Open a transaction that cannot write and waits for no writer."""
        async with self.engines.reader.begin() as connection:
            with _marked():
                yield UnitOfWork(connection, self.sealer, self._clock())

    async def is_alive(self) -> bool:
        """Say whether the database answers. Raises what the driver raises when it does not."""
        async with self.engines.reader.connect() as connection:
            answer: int = (await connection.execute(text("SELECT 1"))).scalar_one()
            return answer == 1

    async def create_schema(self) -> None:
        """Create the tables without migrations: for a throw-away database."""
        async with self.engines.writer.begin() as connection:
            await connection.run_sync(METADATA.create_all)

    async def close(self) -> None:
        await self.engines.writer.dispose()
        await self.engines.reader.dispose()


class _marked:  # noqa: N801  # reads as a statement: with _marked()
    """Mark the running task: the network must wait."""

    def __enter__(self) -> None:
        self._token = in_transaction.set(True)

    def __exit__(self, *_: object) -> None:
        in_transaction.reset(self._token)
