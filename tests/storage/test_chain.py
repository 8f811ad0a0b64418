"""The chain over audit and ledger rows finds what was edited, removed or put in between."""

import asyncio

import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError

from citizen_account.bootstrap import Runtime
from citizen_account.domain.accounts import AccountId, Role
from citizen_account.domain.events import RoleGranted
from citizen_account.domain.ledger import ActorKind, LedgerEntry
from citizen_account.security.tokens import new_id
from citizen_account.storage.audit import AuditRow
from citizen_account.storage.chain import ChainRow
from citizen_account.storage.ledger import LedgerRow
from citizen_account.usecases.audit import Broken, Verified, seal_new_rows, sweep, verify


@pytest.fixture
async def trail(runtime: Runtime) -> Runtime:
    """Give the trail six rows of both kinds, sealed in two turns."""
    for _ in range(2):
        async with runtime.database.begin() as uow:
            account_id = AccountId(new_id())
            uow.record(RoleGranted(account_id, Role.AUDITOR))
            uow.record(RoleGranted(account_id, Role.HELPER))
            await uow.ledger.add(
                LedgerEntry(
                    id=new_id(),
                    account_id=account_id,
                    at=uow.now,
                    actor_kind=ActorKind.SERVICE,
                    actor="library",
                    what=("email",),
                    purpose="card",
                )
            )
        async with runtime.database.begin() as uow:
            assert await seal_new_rows(uow) == 3
    return runtime


async def result(runtime: Runtime) -> Verified | Broken:
    async with runtime.database.read() as uow:
        return await verify(uow)


async def tamper(runtime: Runtime, statement: object) -> None:
    async with runtime.database.engines.writer.begin() as connection:
        await connection.execute(statement)  # type: ignore[call-overload]  # a statement of Core


async def test_untouched_chain_holds(trail: Runtime) -> None:
    assert await result(trail) == Verified(6)


async def test_empty_chain_holds(runtime: Runtime) -> None:
    assert await result(runtime) == Verified(0)


async def test_row_is_sealed_once(trail: Runtime) -> None:
    async with trail.database.begin() as uow:
        assert await seal_new_rows(uow) == 0
        assert await sweep(uow) == 0


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        (update(AuditRow).where(AuditRow.id == 1).values(event="signed_in"), "was changed"),
        (update(LedgerRow).values(what=["phone_number"]), "was changed"),
        (delete(AuditRow).where(AuditRow.id == 2), "is gone"),
        (delete(LedgerRow), "is gone"),
        (update(ChainRow).where(ChainRow.position == 3).values(hash="0" * 64), "link was changed"),
        (delete(ChainRow).where(ChainRow.position == 4), "a link is missing"),
    ],
    ids=["edited event", "edited look", "removed event", "removed look", "edited link", "cut link"],
)
async def test_tampering_is_found(trail: Runtime, statement: object, reason: str) -> None:
    await tamper(trail, statement)
    found = await result(trail)
    assert isinstance(found, Broken)
    assert reason in found.reason


async def test_two_sealers_make_one_chain(runtime: Runtime) -> None:
    async with runtime.database.begin() as uow:
        uow.record(RoleGranted(AccountId(new_id()), Role.AUDITOR))

    async def seal() -> int:
        try:
            async with runtime.database.begin() as uow:
                return await seal_new_rows(uow)
        except IntegrityError:
            return 0

    assert sum(await asyncio.gather(*(seal() for _ in range(4)))) == 1
    assert await result(runtime) == Verified(1)
