"""Have the keys at hand of clients that keep them at an address of their own (`jwks_uri`)."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta

from citizen_account.domain.clients import Client, ClientId
from citizen_account.domain.throttling import Counter, Rule
from citizen_account.openid.key_sets import MAXIMUM_BYTES, needs_reading, read_key_set
from citizen_account.outbound import Outbound, OutboundError
from citizen_account.storage.unit_of_work import Database

log = logging.getLogger(__name__)

# Whoever invents a `kid` makes us knock at the client's door: so often, and no more.
READING_RULE = Rule("client keys", 10, timedelta(minutes=1))


class ClientKeys:
    """Fetch key sets and keep them with their client, for all processes; one serves a process."""

    def __init__(self, database: Database, outbound: Outbound) -> None:
        self._database = database
        self._outbound = outbound
        self._reading: dict[ClientId, asyncio.Task[None]] = {}

    async def prepare(self, client_id: ClientId, tokens: Sequence[str]) -> None:
        """See to the keys by which the client's JWTs are going to be verified.

        Whatever fails is noted in the log, and the JWT is then verified by what is known, or by
        nothing. Must not be called while a transaction is open.
        """
        if not tokens:
            return
        async with self._database.read() as uow:
            client = await uow.clients.find(client_id)
            is_needed = client is not None and needs_reading(client, tokens, uow.now)
        if client is None or not is_needed:
            return
        # Many requests at once wait for one answer.
        task = self._reading.get(client_id)
        if task is None:
            task = asyncio.create_task(self._read(client))
            self._reading[client_id] = task
            task.add_done_callback(lambda _: self._reading.pop(client_id, None))
        # One browser that goes away must not take the answer from the others.
        await asyncio.shield(task)

    async def _read(self, client: Client) -> None:
        assert client.jwks_uri is not None  # noqa: S101  # else nothing needs reading
        async with self._database.begin() as uow:
            throttled = await uow.throttles.hit_all([Counter(READING_RULE, client.id)])
        if throttled is not None:
            log.warning("client_keys_throttled", extra={"client_id": client.id})
            return
        keys = await self._fetch(client, client.jwks_uri)
        async with self._database.begin() as uow:
            if keys is None:
                await uow.clients.note_try(client.id, uow.now)
            else:
                await uow.clients.save_keys(client.id, client.jwks_uri, keys, uow.now)

    async def _fetch(self, client: Client, address: str) -> Mapping[str, object] | None:
        try:
            keys = read_key_set(await self._outbound.get_json(address, MAXIMUM_BYTES))
        except OutboundError as error:
            facts = {"client_id": client.id, "cause": str(error)}
            log.warning("client_keys_unreadable", extra=facts)
            return None
        if keys is None:
            facts = {"client_id": client.id, "cause": "no set of public keys"}
            log.warning("client_keys_unreadable", extra=facts)
        return keys
