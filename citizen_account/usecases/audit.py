"""Seal the audit and ledger rows into one chain of hashes, and verify it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from citizen_account.storage.chain import GENESIS, Link, Trail, Unsealed, hash_of
from citizen_account.storage.unit_of_work import UnitOfWork

# A row carries its transaction's beginning; one that is kept later than this is found by the sweep.
LONGEST_TRANSACTION = timedelta(minutes=1)
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Verified:
    """The chain is whole."""

    rows: int


@dataclass(frozen=True, slots=True)
class Broken:
    """The first place where the chain does not hold."""

    position: int
    reason: str


async def seal_new_rows(uow: UnitOfWork) -> int:
    """Chain what came since the last time; return how many rows."""
    last = await uow.chain.last()
    since = BEGINNING if last is None else last[1] - LONGEST_TRANSACTION
    return await _seal(uow, last and last[0], await uow.chain.unsealed(since))


async def sweep(uow: UnitOfWork) -> int:
    """Chain rows that came so late that `seal_new_rows` passed them by."""
    last = await uow.chain.last()
    return await _seal(uow, last and last[0], await uow.chain.unsealed(BEGINNING))


async def verify(uow: UnitOfWork) -> Verified | Broken:
    """Compare each link with its row of today and with the link before it."""
    previous, position = GENESIS, 0
    async for links in uow.chain.links():
        today = {
            trail: await uow.chain.digests(
                trail, [link.row_id for link in links if link.trail is trail]
            )
            for trail in Trail
        }
        for link in links:
            reason = _fault(link, previous, position, today[link.trail].get(link.row_id))
            if reason is not None:
                return Broken(link.position, reason)
            previous, position = link.hash, link.position
    return Verified(position)


async def _seal(uow: UnitOfWork, last: Link | None, rows: list[Unsealed]) -> int:
    if not rows:
        return 0
    links = []
    previous, position = (GENESIS, 0) if last is None else (last.hash, last.position)
    for row in rows:
        previous, position = hash_of(previous, row), position + 1
        links.append(Link(position, row.trail, row.row_id, row.row_digest, previous))
    await uow.chain.add(links, uow.now)
    return len(links)


def _fault(link: Link, previous: str, position: int, row_digest: str | None) -> str | None:
    if link.position != position + 1:
        return "a link is missing before it"
    if row_digest is None:
        return f"the {link.trail} row is gone"
    if row_digest != link.row_digest:
        return f"the {link.trail} row was changed"
    if hash_of(previous, Unsealed(link.trail, link.row_id, link.row_digest)) != link.hash:
        return "the link was changed"
    return None
