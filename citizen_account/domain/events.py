"""Name what happened, for the audit trail and for the jobs that act on it later."""

from dataclasses import dataclass, fields
from typing import ClassVar, Protocol
from uuid import UUID

from citizen_account.domain.accounts import AccountId, Role, SessionId
from citizen_account.domain.clients import Approval, ClientId
from citizen_account.domain.connections import ConnectionId
from citizen_account.domain.consents import ConsentEnd, ConsentId
from citizen_account.domain.grants import GrantId


class Event(Protocol):
    """A frozen dataclass of ids; `account_id` is None where no resident is concerned.

    An event never carries a token, an address or a name.
    """

    code: ClassVar[str]
    has_follow_up: ClassVar[bool]

    @property
    def account_id(self) -> AccountId | None: ...


@dataclass(frozen=True, slots=True)
class TokensIssued:
    code: ClassVar = "tokens_issued"
    has_follow_up: ClassVar = False
    account_id: AccountId | None
    client_id: ClientId
    grant_id: GrantId


@dataclass(frozen=True, slots=True)
class CodeReplayed:
    code: ClassVar = "code_replayed"
    has_follow_up: ClassVar = False
    account_id: AccountId | None
    client_id: ClientId
    grant_id: GrantId


@dataclass(frozen=True, slots=True)
class RefreshTokenReused:
    code: ClassVar = "refresh_token_reused"
    has_follow_up: ClassVar = False
    account_id: AccountId | None
    client_id: ClientId
    grant_id: GrantId


@dataclass(frozen=True, slots=True)
class GrantRevoked:
    """The client gave a grant back (RFC 7009)."""

    code: ClassVar = "grant_revoked"
    has_follow_up: ClassVar = False
    account_id: AccountId | None
    client_id: ClientId
    grant_id: GrantId


@dataclass(frozen=True, slots=True)
class ClientImported:
    code: ClassVar = "client_imported"
    has_follow_up: ClassVar = False
    account_id: ClassVar = None
    client_id: ClientId


@dataclass(frozen=True, slots=True)
class ClientDisabled:
    code: ClassVar = "client_disabled"
    has_follow_up: ClassVar = False
    account_id: ClassVar = None
    client_id: ClientId


@dataclass(frozen=True, slots=True)
class ResourceImported:
    code: ClassVar = "resource_imported"
    has_follow_up: ClassVar = False
    account_id: ClassVar = None
    resource: str


@dataclass(frozen=True, slots=True)
class ResourceDisabled:
    code: ClassVar = "resource_disabled"
    has_follow_up: ClassVar = False
    account_id: ClassVar = None
    resource: str


@dataclass(frozen=True, slots=True)
class ClientRegistered:
    """A client registered itself (RFC 7591)."""

    code: ClassVar = "client_registered"
    has_follow_up: ClassVar = False
    account_id: ClassVar = None
    client_id: ClientId
    approval: Approval


@dataclass(frozen=True, slots=True)
class ClientChanged:
    """A client changed its own registration (RFC 7592)."""

    code: ClassVar = "client_changed"
    has_follow_up: ClassVar = False
    account_id: ClassVar = None
    client_id: ClientId
    approval: Approval


@dataclass(frozen=True, slots=True)
class ClientLeft:
    code: ClassVar = "client_left"
    has_follow_up: ClassVar = False
    account_id: ClassVar = None
    client_id: ClientId


@dataclass(frozen=True, slots=True)
class ClientDecided:
    """An administrator, whose account it names, let a client in or refused it."""

    code: ClassVar = "client_decided"
    has_follow_up: ClassVar = False
    account_id: AccountId
    client_id: ClientId
    approval: Approval


@dataclass(frozen=True, slots=True)
class InitialTokenMade:
    code: ClassVar = "initial_token_made"
    has_follow_up: ClassVar = False
    account_id: ClassVar = None
    token_id: UUID
    uses: int


@dataclass(frozen=True, slots=True)
class InitialTokensRevoked:
    code: ClassVar = "initial_tokens_revoked"
    has_follow_up: ClassVar = False
    account_id: ClassVar = None
    tokens: int


@dataclass(frozen=True, slots=True)
class KeysRotated:
    code: ClassVar = "keys_rotated"
    has_follow_up: ClassVar = False
    account_id: ClassVar = None
    algorithm: str
    kid: str


@dataclass(frozen=True, slots=True)
class ConsentGiven:
    code: ClassVar = "consent_given"
    has_follow_up: ClassVar = False
    account_id: AccountId
    client_id: ClientId
    consent_id: ConsentId


@dataclass(frozen=True, slots=True)
class ConsentRefused:
    code: ClassVar = "consent_refused"
    has_follow_up: ClassVar = False
    account_id: AccountId
    client_id: ClientId


@dataclass(frozen=True, slots=True)
class ConsentWithdrawn:
    code: ClassVar = "consent_withdrawn"
    has_follow_up: ClassVar = True
    account_id: AccountId
    client_id: ClientId
    consent_id: ConsentId
    how: ConsentEnd


@dataclass(frozen=True, slots=True)
class ConsentNarrowed:
    """A decision took claims back: the consent it names, the one before, allowed more."""

    code: ClassVar = "consent_narrowed"
    has_follow_up: ClassVar = False
    account_id: AccountId
    client_id: ClientId
    consent_id: ConsentId


@dataclass(frozen=True, slots=True)
class AccountCreated:
    code: ClassVar = "account_created"
    has_follow_up: ClassVar = False
    account_id: AccountId


@dataclass(frozen=True, slots=True)
class SignInFailed:
    """A wrong password; None for an address that nobody has."""

    code: ClassVar = "sign_in_failed"
    has_follow_up: ClassVar = False
    account_id: AccountId | None


@dataclass(frozen=True, slots=True)
class PasswordChanged:
    code: ClassVar = "password_changed"
    has_follow_up: ClassVar = False
    account_id: AccountId
    is_recovery: bool


@dataclass(frozen=True, slots=True)
class EmailChanged:
    code: ClassVar = "email_changed"
    has_follow_up: ClassVar = False
    account_id: AccountId


@dataclass(frozen=True, slots=True)
class ProfileChanged:
    code: ClassVar = "profile_changed"
    has_follow_up: ClassVar = False
    account_id: AccountId


@dataclass(frozen=True, slots=True)
class SignedIn:
    code: ClassVar = "signed_in"
    has_follow_up: ClassVar = False
    account_id: AccountId
    session_id: SessionId


@dataclass(frozen=True, slots=True)
class SignedOut:
    code: ClassVar = "signed_out"
    has_follow_up: ClassVar = True
    account_id: AccountId
    session_id: SessionId


@dataclass(frozen=True, slots=True)
class RoleGranted:
    code: ClassVar = "role_granted"
    has_follow_up: ClassVar = False
    account_id: AccountId
    role: Role


@dataclass(frozen=True, slots=True)
class RoleRevoked:
    code: ClassVar = "role_revoked"
    has_follow_up: ClassVar = False
    account_id: AccountId
    role: Role


@dataclass(frozen=True, slots=True)
class ForeignRecordDropped:
    """A source answered with somebody else's record: the whole answer was thrown away."""

    code: ClassVar = "foreign_record_dropped"
    has_follow_up: ClassVar = False
    account_id: ClassVar = None
    connector_id: str
    capability: str
    reference: str


@dataclass(frozen=True, slots=True)
class ConnectorMisconfigured:
    code: ClassVar = "connector_misconfigured"
    has_follow_up: ClassVar = False
    account_id: ClassVar = None
    connector_id: str


@dataclass(frozen=True, slots=True)
class UpstreamLinked:
    """Another provider's word opens the account from now on."""

    code: ClassVar = "upstream_linked"
    has_follow_up: ClassVar = False
    account_id: AccountId
    upstream_id: str


@dataclass(frozen=True, slots=True)
class UpstreamUnlinked:
    code: ClassVar = "upstream_unlinked"
    has_follow_up: ClassVar = False
    account_id: AccountId
    upstream_id: str


@dataclass(frozen=True, slots=True)
class ServiceLinked:
    code: ClassVar = "service_linked"
    has_follow_up: ClassVar = False
    account_id: AccountId
    connector_id: str
    connection_id: ConnectionId


@dataclass(frozen=True, slots=True)
class ServiceUnlinked:
    code: ClassVar = "service_unlinked"
    has_follow_up: ClassVar = False
    account_id: AccountId
    connector_id: str
    connection_id: ConnectionId


@dataclass(frozen=True, slots=True)
class AgreementNarrowed:
    """Consent to single purposes of a connected service was withdrawn."""

    code: ClassVar = "agreement_narrowed"
    has_follow_up: ClassVar = False
    account_id: AccountId
    connector_id: str
    connection_id: ConnectionId
    purposes: frozenset[str]


@dataclass(frozen=True, slots=True)
class ClosingAsked:
    code: ClassVar = "closing_asked"
    has_follow_up: ClassVar = False
    account_id: AccountId


@dataclass(frozen=True, slots=True)
class ClosingUndone:
    code: ClassVar = "closing_undone"
    has_follow_up: ClassVar = False
    account_id: AccountId


@dataclass(frozen=True, slots=True)
class AccountClosed:
    code: ClassVar = "account_closed"
    has_follow_up: ClassVar = False
    account_id: AccountId


@dataclass(frozen=True, slots=True)
class ErrandReleased:
    """An administrator, whose account it names, let a parked errand be tried again."""

    code: ClassVar = "errand_released"
    has_follow_up: ClassVar = False
    account_id: AccountId
    errand_id: UUID


def facts_of(event: Event) -> dict[str, str]:
    """Return the ids that the event carries, as plain text; what is absent is left out."""
    carried = ((field.name, getattr(event, field.name)) for field in fields(event))  # type: ignore[arg-type]  # every event is a dataclass
    return {name: _text(fact) for name, fact in carried if fact is not None}


def _text(fact: object) -> str:
    return " ".join(sorted(fact)) if isinstance(fact, frozenset) else str(fact)
