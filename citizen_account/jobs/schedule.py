"""Say what is done periodically, each time by one worker of all."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from citizen_account.bootstrap import Runtime
from citizen_account.domain.places import REFRESH_EVERY as REFRESH_PLACES
from citizen_account.jobs.connections import forget_stale_snapshots, refresh_snapshots
from citizen_account.jobs.places import refresh_places
from citizen_account.usecases.audit import seal_new_rows, sweep
from citizen_account.usecases.closing import close_due
from citizen_account.usecases.interactions import forget_old_interactions
from citizen_account.usecases.keys import rotate_due_keys
from citizen_account.usecases.requested import forget_old_requests
from citizen_account.usecases.sign_in import forget_old_sign_ins
from citizen_account.usecases.tokens import forget_expired


@dataclass(frozen=True, slots=True)
class Periodic:
    name: str
    every: timedelta
    run: Callable[[Runtime], Awaitable[None]]


async def seal_trail(runtime: Runtime) -> None:
    async with runtime.database.begin() as uow:
        await seal_new_rows(uow)


async def sweep_trail(runtime: Runtime) -> None:
    async with runtime.database.begin() as uow:
        await sweep(uow)


async def forget_done_errands(runtime: Runtime) -> None:
    async with runtime.database.begin() as uow:
        await uow.outbox.forget_done(uow.now)


async def close_accounts(runtime: Runtime) -> None:
    async with runtime.database.begin() as uow:
        await close_due(uow)


async def rotate_keys(runtime: Runtime) -> None:
    async with runtime.database.begin() as uow:
        await rotate_due_keys(uow)


async def forget_tokens(runtime: Runtime) -> None:
    async with runtime.database.begin() as uow:
        await forget_expired(uow)


async def forget_interactions(runtime: Runtime) -> None:
    async with runtime.database.begin() as uow:
        await forget_old_interactions(uow)
        await forget_old_requests(uow)


async def forget_sign_ins(runtime: Runtime) -> None:
    async with runtime.database.begin() as uow:
        await forget_old_sign_ins(uow)


SCHEDULE: tuple[Periodic, ...] = (
    Periodic("seal_trail", timedelta(seconds=1), seal_trail),
    Periodic("refresh_snapshots", timedelta(seconds=1), refresh_snapshots),
    Periodic("refresh_places", REFRESH_PLACES, refresh_places),
    Periodic("sweep_trail", timedelta(hours=1), sweep_trail),
    Periodic("close_accounts", timedelta(minutes=10), close_accounts),
    Periodic("forget_interactions", timedelta(minutes=10), forget_interactions),
    Periodic("rotate_keys", timedelta(hours=1), rotate_keys),
    Periodic("forget_tokens", timedelta(minutes=10), forget_tokens),
    Periodic("forget_sign_ins", timedelta(hours=1), forget_sign_ins),
    Periodic("forget_stale_snapshots", timedelta(hours=6), forget_stale_snapshots),
    Periodic("forget_done_errands", timedelta(hours=6), forget_done_errands),
)
