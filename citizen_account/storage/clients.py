"""Keep the relying parties."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import JSON, String, bindparam, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from citizen_account.domain.clients import (
    Approval,
    AuthenticationMethod,
    ClaimUse,
    Client,
    ClientId,
    ClientProfile,
    ClientPurpose,
    GrantType,
    SubjectType,
)
from citizen_account.domain.consents import LegalBasis
from citizen_account.storage.base import Base
from citizen_account.storage.written import Written


class ClientRow(Base):
    __tablename__ = "clients"

    id: Mapped[ClientId] = mapped_column(primary_key=True)
    name: Mapped[Mapping[str, str]]
    operator: Mapped[Mapping[str, str]]
    service_url: Mapped[str]
    is_first_party: Mapped[bool]
    profile: Mapped[ClientProfile]
    redirect_uris: Mapped[list[str]]
    post_logout_redirect_uris: Mapped[list[str]]
    authentication_method: Mapped[AuthenticationMethod]
    secret_digest: Mapped[bytes | None]
    jwks: Mapped[Mapping[str, object] | None] = mapped_column(JSON(none_as_null=True))
    jwks_uri: Mapped[str | None]
    grant_types: Mapped[list[str]]
    scopes: Mapped[list[str]]
    subject_type: Mapped[SubjectType]
    sector: Mapped[str]
    id_token_algorithm: Mapped[str] = mapped_column(String(16))
    require_pkce: Mapped[bool]
    backchannel_logout_uri: Mapped[str | None]
    is_disabled: Mapped[bool]
    purposes: Mapped[list[Any]] = mapped_column(JSON)
    """As `_purpose_facts` writes them."""
    created_at: Mapped[datetime]
    # Not called `metadata`: SQLAlchemy keeps that name of a mapped class for itself.
    registered: Mapped[Mapping[str, object]]
    userinfo_signed_response_alg: Mapped[str | None] = mapped_column(String(16))
    jwks_tried_at: Mapped[datetime | None]
    approval: Mapped[Approval | None] = mapped_column(index=True)
    grants_ended_at: Mapped[datetime | None]


WRITTEN = Written(ClientRow.__table__)
COLUMNS = WRITTEN.columns
_PLAIN = tuple(name for name in WRITTEN.names if name != "registered")
READ = select(*COLUMNS)
FIND = READ.where(ClientRow.id == bindparam("client_id"))
PAGE = READ.where(ClientRow.id > bindparam("after")).order_by(ClientRow.id).limit(bindparam("size"))
# A service of its own has a site that a resident can open; a back office has none.
OFFERED = (
    READ.where(
        ClientRow.is_disabled.is_(False),
        ClientRow.service_url != "",
        # What nobody has looked at is none of the city's services.
        or_(ClientRow.approval.is_(None), ClientRow.approval == Approval.APPROVED),
    )
    .order_by(ClientRow.id)
    .limit(100)
)
FIND_SOME = READ.where(ClientRow.id.in_(bindparam("client_ids", expanding=True)))
ADD = insert(ClientRow)
REPLACE = update(ClientRow).where(ClientRow.id == bindparam("client_id"))
SET_DISABLED = REPLACE.values(is_disabled=bindparam("disabled")).returning(ClientRow.id)
# Between two administrators the row decides.
DECIDE = (
    REPLACE.where(ClientRow.approval == Approval.PENDING)
    .values(approval=bindparam("decision"), is_disabled=bindparam("disabled"))
    .returning(ClientRow.id)
)
# Only the keys of the address that was asked: the client may have registered another meanwhile.
SAVE_KEYS = REPLACE.where(ClientRow.jwks_uri == bindparam("address")).values(
    jwks=bindparam("keys", type_=JSON(none_as_null=True)), jwks_tried_at=bindparam("now")
)
NOTE_TRY = REPLACE.values(jwks_tried_at=bindparam("now"))
EXEMPTED = READ.where(ClientRow.require_pkce.is_(False)).order_by(ClientRow.id)


class Clients:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def find(self, client_id: ClientId) -> Client | None:
        row = (await self._connection.execute(FIND, {"client_id": client_id})).first()
        return None if row is None else client_of(row)

    async def find_some(self, client_ids: Sequence[str]) -> Mapping[str, Client]:
        """Return those that exist, by their id."""
        rows = await self._connection.execute(FIND_SOME, {"client_ids": list(client_ids)})
        return {row.id: client_of(row) for row in rows}

    async def page(self, *, after: str, size: int) -> Sequence[Client]:
        """List in the order of ids, from the first one behind `after`."""
        rows = await self._connection.execute(PAGE, {"after": after, "size": size})
        return [client_of(row) for row in rows]

    async def list_offered(self) -> Sequence[Client]:
        """List what residents can go to and sign in with the account."""
        return [client_of(row) for row in await self._connection.execute(OFFERED)]

    async def add(self, client: Client) -> None:
        await self._connection.execute(ADD, _row(client))

    async def replace(self, client: Client) -> None:
        """Write all that the client registered, over what it had registered before."""
        row = _row(client)
        # What has ended stays so, whatever is registered.
        del row["id"], row["created_at"], row["grants_ended_at"]
        await self._connection.execute(REPLACE.values(row), {"client_id": client.id})

    async def set_disabled(self, client_id: ClientId, *, is_disabled: bool) -> bool:
        """Say whether there is such a client."""
        asked = {"client_id": client_id, "disabled": is_disabled}
        return (await self._connection.execute(SET_DISABLED, asked)).first() is not None

    async def decide(self, client_id: ClientId, approval: Approval, *, is_disabled: bool) -> bool:
        """Settle what waits. Of any number of callers at once, one gets True."""
        asked = {"client_id": client_id, "decision": approval, "disabled": is_disabled}
        return (await self._connection.execute(DECIDE, asked)).first() is not None

    async def save_keys(
        self, client_id: ClientId, address: str, keys: Mapping[str, object], now: datetime
    ) -> None:
        """Keep what the client's `jwks_uri` answered."""
        facts = {"client_id": client_id, "address": address, "keys": dict(keys), "now": now}
        await self._connection.execute(SAVE_KEYS, facts)

    async def note_try(self, client_id: ClientId, now: datetime) -> None:
        """Remember that the `jwks_uri` was asked in vain; what was known stays known."""
        await self._connection.execute(NOTE_TRY, {"client_id": client_id, "now": now})

    async def list_exempted(self) -> Sequence[Client]:
        """List the clients that need no PKCE, in the order of ids."""
        return [client_of(row) for row in await self._connection.execute(EXEMPTED)]


def _row(client: Client) -> dict[str, object]:
    row: dict[str, object] = {name: getattr(client, name) for name in _PLAIN}
    return row | {
        "name": dict(client.name),
        "operator": dict(client.operator),
        "redirect_uris": list(client.redirect_uris),
        "post_logout_redirect_uris": list(client.post_logout_redirect_uris),
        "jwks": None if client.jwks is None else dict(client.jwks),
        "grant_types": sorted(client.grant_types),
        "scopes": sorted(client.scopes),
        "purposes": [_purpose_facts(purpose) for purpose in client.purposes],
        "registered": dict(client.metadata),
    }


def client_of(row: Sequence[Any]) -> Client:  # Any: columns of each type
    """Return the client of a row that begins with COLUMNS."""
    return _client(tuple(row[: len(COLUMNS)]))


@lru_cache(maxsize=512)
def _client(row: tuple[Any, ...]) -> Client:  # Any: as above
    columns = WRITTEN.read(row)
    lists = {
        "redirect_uris": tuple(columns.pop("redirect_uris")),
        "post_logout_redirect_uris": tuple(columns.pop("post_logout_redirect_uris")),
        "grant_types": frozenset(GrantType(name) for name in columns.pop("grant_types")),
        "scopes": frozenset(columns.pop("scopes")),
        "purposes": tuple(_purpose(facts) for facts in columns.pop("purposes")),
        "metadata": columns.pop("registered"),
    }
    return Client(**lists, **columns)


def _purpose_facts(purpose: ClientPurpose) -> dict[str, object]:
    return {
        "id": purpose.id,
        "text": dict(purpose.text),
        "basis": purpose.basis.value,
        "legal_reference": purpose.legal_reference,
        "retention": purpose.retention,
        "claims": [
            {"name": use.name, "required": use.is_required, "reason": dict(use.reason)}
            for use in purpose.claims
        ],
    }


def _purpose(facts: dict[str, Any]) -> ClientPurpose:
    return ClientPurpose(
        id=facts["id"],
        text=facts["text"],
        basis=LegalBasis(facts["basis"]),
        legal_reference=facts["legal_reference"],
        retention=facts["retention"],
        claims=tuple(
            ClaimUse(use["name"], use["required"], use["reason"]) for use in facts["claims"]
        ),
    )
