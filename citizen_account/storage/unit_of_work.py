"""Open one transaction: leaving the block commits, an exception rolls back."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import cast

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from citizen_account.domain.errands import Mail
from citizen_account.domain.events import Event, facts_of
from citizen_account.domain.revocations import REVOCATIONS, Revocation
from citizen_account.domain.transactions import in_transaction
from citizen_account.security.sealing import Sealer
from citizen_account.storage.absence import noticing_absence
from citizen_account.storage.accounts import Accounts
from citizen_account.storage.archive import Archive
from citizen_account.storage.assertions import Assertions
from citizen_account.storage.audit import Audit
from citizen_account.storage.base import CONNECTIONS, LOCK_SECONDS, connections_in_use, open_engines
from citizen_account.storage.chain import Chain
from citizen_account.storage.challenges import Challenges
from citizen_account.storage.client_sessions import ClientSessions
from citizen_account.storage.clients import Clients
from citizen_account.storage.connections import Connections
from citizen_account.storage.connector_health import ConnectorHealths
from citizen_account.storage.consents import Consents
from citizen_account.storage.credentials import Credentials
from citizen_account.storage.direct import DirectConnection
from citizen_account.storage.direct_pool import open_direct
from citizen_account.storage.grants import Grants
from citizen_account.storage.interactions import Interactions
from citizen_account.storage.keys import Keys
from citizen_account.storage.ledger import Ledger
from citizen_account.storage.logout_deliveries import LogoutDeliveries
from citizen_account.storage.mailbox import Mailbox
from citizen_account.storage.messages import Messages
from citizen_account.storage.outbox import Outbox
from citizen_account.storage.places import Places
from citizen_account.storage.presented import Presented
from citizen_account.storage.proofs import Proofs
from citizen_account.storage.pushed_requests import PushedRequests
from citizen_account.storage.registrations import InitialTokens, Registrations
from citizen_account.storage.resources import Resources
from citizen_account.storage.revocation_log import RevocationLog
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
        self.archive = Archive(connection)
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
        self.initial_tokens = InitialTokens(connection)
        self.interactions = Interactions(connection, sealer)
        self.keys = Keys(connection, sealer)
        self.ledger = Ledger(connection)
        self.logout_deliveries = LogoutDeliveries(connection)
        self.mailbox = Mailbox(connection)
        self.messages = Messages(connection, sealer)
        self.outbox = Outbox(connection, sealer)
        self.places = Places(connection, sealer)
        self.presented = Presented(connection)
        self.proofs = Proofs(connection)
        self.pushed_requests = PushedRequests(connection, sealer)
        self.resources = Resources(connection)
        self.registrations = Registrations(connection)
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

    def revocations(self) -> Sequence[Revocation]:
        """Return what of this transaction a restored backup must not bring back."""
        return [
            Revocation(self.now, event.code, facts_of(event))
            for event in self._events
            if event.code in REVOCATIONS
        ]

    async def write_events(self) -> None:
        follow_ups = [event for event in self._events if event.has_follow_up]
        if self._events:
            await self.audit.add(self._events, self.now)
        if follow_ups:
            await self.outbox.add_events(follow_ups, self.now)


class Database:
    def __init__(
        self,
        url: str,
        sealer: Sealer,
        clock: Clock,
        log: RevocationLog | None = None,
        *,
        connections: int = CONNECTIONS,
    ) -> None:
        # One half for the pages, one for the hot endpoints: neither can starve the other.
        self.engines = open_engines(url, connections - connections // 2)
        # Writers of one process queue here, whichever way they came, not in SQLite: it polls.
        self._turns = asyncio.Lock()
        self._direct = open_direct(url, connections // 2, self._turns)
        self.sealer = sealer
        self._clock = clock
        self._log = log

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[UnitOfWork]:
        """Open a transaction. Raises: temporarily_unavailable."""
        with noticing_absence():
            async with self._turn(), self.engines.writer.begin() as connection:
                uow = UnitOfWork(connection, self.sealer, self._clock())
                with _marked():
                    yield uow
                await uow.write_events()
                await self._log_revocations(uow)

    @asynccontextmanager
    async def begin_hot(self) -> AsyncIterator[UnitOfWork]:
        """Open a transaction as `begin` does, at a third of its cost, for the busiest endpoints.

        Statements go to the driver directly, plain inserts together at the end; what is only
        read is read outside the transaction. Raises: temporarily_unavailable.
        """
        with noticing_absence():
            async with self._direct.begin() as connection:
                uow = self._hot(connection)
                with _marked():
                    yield uow
                await uow.write_events()
                await self._log_revocations(uow)

    @asynccontextmanager
    async def read_hot(self) -> AsyncIterator[UnitOfWork]:
        """Open what `read` opens, likewise. Raises: temporarily_unavailable."""
        with noticing_absence():
            with _marked():
                yield self._hot(self._direct.connect(is_reading=True))

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self.engines.writer.dialect.name == "postgresql":
            yield
            return
        async with asyncio.timeout(LOCK_SECONDS):
            await self._turns.acquire()
        try:
            yield
        finally:
            self._turns.release()

    def _hot(self, connection: DirectConnection) -> UnitOfWork:
        # It understands all that the repositories of the hot endpoints ask of a connection.
        speaking = cast("AsyncConnection", connection)
        return UnitOfWork(speaking, self.sealer, self._clock())

    @asynccontextmanager
    async def read(self) -> AsyncIterator[UnitOfWork]:
        """Open a transaction that cannot write and waits for no writer.

        Raises: temporarily_unavailable.
        """
        with noticing_absence():
            async with self.engines.reader.begin() as connection:
                with _marked():
                    yield UnitOfWork(connection, self.sealer, self._clock())

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[tuple[Archive, datetime]]:
        """Open one view of all tables, with its instant: nothing that others write gets into it.

        Raises: temporarily_unavailable.
        """
        with noticing_absence():
            async with self.engines.reader.connect() as connection:
                if connection.dialect.name == "postgresql":
                    await connection.execution_options(isolation_level="REPEATABLE READ")
                async with connection.begin():
                    now = self._clock()
                    archive = Archive(connection)
                    # The view is that of the first statement.
                    await archive.revision()
                    yield archive, now

    async def is_alive(self) -> bool:
        """Say whether the database answers. Raises: temporarily_unavailable when it does not."""
        with noticing_absence():
            async with self.engines.reader.connect() as connection:
                answer: int = (await connection.execute(text("SELECT 1"))).scalar_one()
                return answer == 1

    async def _log_revocations(self, uow: UnitOfWork) -> None:
        """Write down what must survive a restored backup, before it is kept and acknowledged.

        Where the log cannot be written nothing is kept either. Where the database fails behind
        it, the log holds a revocation too many: a restore errs on the resident's side.
        """
        revocations = uow.revocations()
        if self._log is not None and revocations:
            await asyncio.to_thread(self._log.append, revocations)

    async def time(self) -> datetime | None:
        """Return the server's own time; None where the database is a file of this machine.

        Raises: temporarily_unavailable.
        """
        with noticing_absence():
            async with self.engines.reader.connect() as connection:
                if connection.dialect.name != "postgresql":
                    return None
                found: datetime = (await connection.execute(text("SELECT now()"))).scalar_one()
                return found

    def connections_in_use(self) -> Mapping[str, int]:
        """Return how many connections are taken out of each pool of this process."""
        return {**connections_in_use(self.engines), "direct": self._direct.in_use}

    async def create_schema(self) -> None:
        """Create the tables without migrations: for a throw-away database."""
        async with self.engines.writer.begin() as connection:
            await connection.run_sync(METADATA.create_all)

    async def close(self) -> None:
        await self._direct.close()
        await self.engines.writer.dispose()
        await self.engines.reader.dispose()


class _marked:  # noqa: N801  # reads as a statement: with _marked()
    """Mark the running task: the network must wait."""

    def __enter__(self) -> None:
        self._token = in_transaction.set(True)

    def __exit__(self, *_: object) -> None:
        in_transaction.reset(self._token)
