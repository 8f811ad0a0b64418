"""Fill an empty city through the same use cases that an operator's commands use. Idempotent."""

import json
import os
from collections.abc import Mapping, Sequence
from uuid import UUID

from citizen_account import migrations
from citizen_account.bootstrap import Runtime
from citizen_account.demo.city import OWNER_ONLY, SmallCity
from citizen_account.demo.connectors import connectors_toml
from citizen_account.demo.personas import EID_PERSONAS, PERSONAS, Persona
from citizen_account.demo.registrations import (
    account_at_eid_metadata,
    library_metadata,
    upstreams,
)
from citizen_account.domain.accounts import AccountId
from citizen_account.security.tokens import new_id
from citizen_account.storage.accounts import NewAccount
from citizen_account.storage.unit_of_work import UnitOfWork
from citizen_account.usecases.accounts import open_account
from citizen_account.usecases.administration import grant_role
from citizen_account.usecases.clients import import_client
from citizen_account.usecases.keys import ensure_keys

FIRST = AccountId(UUID(int=0))


def write_files(city: SmallCity) -> None:
    """Write what an operator would write by hand: the other providers and the connectors."""
    _write(
        city, city.upstreams_file.name, json.dumps(upstreams(city), ensure_ascii=False, indent=2)
    )
    _write(city, city.connectors_file.name, connectors_toml(city))


async def seed_account(city: SmallCity, runtime: Runtime, database_url: str) -> None:
    """Prepare the account: tables, keys, the Library, and the personas once."""
    await _seed(runtime, database_url, library_metadata(city), PERSONAS)


async def seed_eid(city: SmallCity, runtime: Runtime, database_url: str) -> None:
    """Prepare the eID: tables, keys, the account as its client, and its people once."""
    await _seed(runtime, database_url, account_at_eid_metadata(city), EID_PERSONAS)


async def _seed(
    runtime: Runtime,
    database_url: str,
    client: Mapping[str, object],
    personas: Sequence[Persona],
) -> None:
    await migrations.upgrade(database_url)
    async with runtime.database.begin() as uow:
        await ensure_keys(uow)
        # Again at each start: the ports may be others.
        await import_client(uow, client, is_development=True)
        is_new = not await uow.accounts.page(after=FIRST, size=1)
    if not is_new:
        return
    hashes = [await runtime.hasher.hash(persona.password) for persona in personas]
    async with runtime.database.begin() as uow:
        for persona, password_hash in zip(personas, hashes, strict=True):
            await _move_in(uow, persona, password_hash)


async def _move_in(uow: UnitOfWork, persona: Persona, password_hash: str) -> None:
    account = NewAccount(
        id=AccountId(new_id()),
        email=persona.address,
        profile=persona.profile,
        language=persona.language,
        level=persona.level,
    )
    await open_account(uow, account, password_hash)
    if persona.role is not None:
        await grant_role(uow, persona.email, persona.role)


def _write(city: SmallCity, name: str, text: str) -> None:
    """Write a file with secrets in it for its owner's eyes only."""
    draft = city.folder / f"{name}.new"
    descriptor = os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, OWNER_ONLY)
    with os.fdopen(descriptor, "w", encoding="utf-8") as lines:
        lines.write(text)
    draft.replace(city.folder / name)
