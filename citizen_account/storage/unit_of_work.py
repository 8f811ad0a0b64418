"""Open one transaction: leaving the block commits, an exception rolls back."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from types import TracebackType
from typing import Generic, TypeVar, cast

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from citizen_account.domain.errands import Mail
from citizen_account.domain.events import Event, facts_of
from citizen_account.domain.revocations import REVOCATIONS, Revocation
from citizen_account.domain.transactions import in_transaction
from citizen_account.security.sealing import Sealer
from citizen_account.storage.absence import noticing_absence, raise_if_absent
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
from citizen_account.storage.direct import DirectConnection, DirectPool
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
from citizen_account.storage.recalled import Recalled
from citizen_account.storage.registrations import InitialTokens, Registrations
from citizen_account.storage.residents import Residents
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


Repository = TypeVar("Repository")


class Lazy(Generic[Repository]):
    """A repository that is made when it is first asked for: most work needs few of them."""

    def __init__(self, make: Callable[["UnitOfWork"], Repository]) -> None:
        self._make = make

    def __set_name__(self, _: type, name: str) -> None:
        self._name = name

    def __get__(self, uow: "UnitOfWork", _: type) -> Repository:
        # Kept under its own name, which is looked at before this is asked again.
        repository = uow.__dict__[self._name] = self._make(uow)
        return repository


class UnitOfWork:
    """One transaction with one instant, `now`, for all that happens in it."""

    now: datetime
    connection: AsyncConnection
    sealer: Sealer

    accounts = Lazy(lambda uow: Accounts(uow.connection, uow.sealer))
    archive = Lazy(lambda uow: Archive(uow.connection))
    assertions = Lazy(lambda uow: Assertions(uow.connection))
    audit = Lazy(lambda uow: Audit(uow.connection))
    chain = Lazy(lambda uow: Chain(uow.connection))
    challenges = Lazy(lambda uow: Challenges(uow.connection, uow.sealer))
    client_sessions = Lazy(lambda uow: ClientSessions(uow.connection))
    clients = Lazy(lambda uow: Clients(uow.connection))
    connector_health = Lazy(lambda uow: ConnectorHealths(uow.connection))
    consents = Lazy(lambda uow: Consents(uow.connection))
    connections = Lazy(lambda uow: Connections(uow.connection, uow.sealer))
    credentials = Lazy(lambda uow: Credentials(uow.connection))
    grants = Lazy(lambda uow: Grants(uow.connection))
    initial_tokens = Lazy(lambda uow: InitialTokens(uow.connection))
    interactions = Lazy(lambda uow: Interactions(uow.connection, uow.sealer))
    keys = Lazy(lambda uow: Keys(uow.connection, uow.sealer))
    ledger = Lazy(lambda uow: Ledger(uow.connection))
    logout_deliveries = Lazy(lambda uow: LogoutDeliveries(uow.connection))
    mailbox = Lazy(lambda uow: Mailbox(uow.connection))
    messages = Lazy(lambda uow: Messages(uow.connection, uow.sealer))
    outbox = Lazy(lambda uow: Outbox(uow.connection, uow.sealer))
    places = Lazy(lambda uow: Places(uow.connection, uow.sealer))
    presented = Lazy(lambda uow: Presented(uow.connection, uow.sealer))
    proofs = Lazy(lambda uow: Proofs(uow.connection))
    pushed_requests = Lazy(lambda uow: PushedRequests(uow.connection, uow.sealer))
    residents = Lazy(lambda uow: Residents(uow.connection, uow.sealer))
    recalled = Lazy(lambda uow: Recalled(uow.connection))
    resources = Lazy(lambda uow: Resources(uow.connection))
    registrations = Lazy(lambda uow: Registrations(uow.connection))
    roles = Lazy(lambda uow: Roles(uow.connection))
    saved_forms = Lazy(lambda uow: SavedForms(uow.connection, uow.sealer))
    schedule = Lazy(lambda uow: Schedule(uow.connection))
    sessions = Lazy(lambda uow: Sessions(uow.connection, uow.sealer))
    snapshots = Lazy(lambda uow: Snapshots(uow.connection, uow.sealer))
    throttles = Lazy(lambda uow: Throttles(uow.connection, uow.sealer, uow.now))
    upstream_identities = Lazy(lambda uow: UpstreamIdentities(uow.connection, uow.sealer))
    upstream_logins = Lazy(lambda uow: UpstreamLogins(uow.connection, uow.sealer))

    def __init__(self, connection: AsyncConnection, sealer: Sealer, now: datetime) -> None:
        self.now = now
        self.connection = connection
        self.sealer = sealer
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
        # One half for what pages write, one for what is asked directly: neither starves the other.
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
                await self.log_revocations(uow)

    def begin_hot(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """Open a transaction as `begin` does, at a fraction of its cost, for the busiest endpoints.

        Statements go to the driver directly, plain inserts together at the end; what is only
        read is read outside the transaction. Raises: temporarily_unavailable.
        """
        return _HotTransaction(self, self._direct, is_reading=False)

    def read(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """Open what cannot write and waits for no writer; it goes the way of `begin_hot`.

        Each question sees what is kept at that moment. Raises: temporarily_unavailable.
        """
        return _HotTransaction(self, self._direct, is_reading=True)

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

    def hot_unit(self, connection: DirectConnection) -> UnitOfWork:
        # It understands all that the repositories of the hot endpoints ask of a connection.
        speaking = cast("AsyncConnection", connection)
        return UnitOfWork(speaking, self.sealer, self._clock())

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

    async def log_revocations(self, uow: UnitOfWork) -> None:
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


class _HotTransaction:
    """What `begin` does, in fewer steps: a block of its own for each costs more than the work."""

    def __init__(self, database: Database, pool: DirectPool, *, is_reading: bool) -> None:
        self._database = database
        self._pool = pool
        self._is_reading = is_reading

    async def __aenter__(self) -> UnitOfWork:
        try:
            self._connection = self._pool.connect(is_reading=self._is_reading)
        except Exception as error:
            raise_if_absent(error)
            raise
        self._uow = self._database.hot_unit(self._connection)
        self._token = in_transaction.set(True)
        return self._uow

    async def __aexit__(
        self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None
    ) -> None:
        in_transaction.reset(self._token)
        try:
            if error is None:
                await self._keep()
                return
            await self._connection.roll_back()
        except Exception as failure:
            raise_if_absent(failure)
            raise
        if isinstance(error, Exception):
            raise_if_absent(error)

    async def _keep(self) -> None:
        try:
            await self._uow.write_events()
            await self._database.log_revocations(self._uow)
            await self._connection.finish()
        except BaseException:
            await self._connection.roll_back()
            raise


class _marked:  # noqa: N801  # reads as a statement: with _marked()
    """Mark the running task: the network must wait."""

    def __enter__(self) -> None:
        self._token = in_transaction.set(True)

    def __exit__(self, *_: object) -> None:
        in_transaction.reset(self._token)
