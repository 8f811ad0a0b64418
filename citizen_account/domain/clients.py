"""Describe the programs that sign residents in: the relying parties."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import NewType

from citizen_account.domain.claims import CLAIMS, COMPANIONS, claims_of_scopes
from citizen_account.domain.consents import LegalBasis
from citizen_account.domain.texts import LocalText

ClientId = NewType("ClientId", str)


class AuthenticationMethod(StrEnum):
    """`token_endpoint_auth_method` of RFC 7591 section 2."""

    NONE = "none"
    BASIC = "client_secret_basic"
    POST = "client_secret_post"
    PRIVATE_KEY_JWT = "private_key_jwt"
    TLS = "tls_client_auth"
    SELF_SIGNED_TLS = "self_signed_tls_client_auth"


CERTIFICATE_METHODS = frozenset({AuthenticationMethod.TLS, AuthenticationMethod.SELF_SIGNED_TLS})
"""RFC 8705 section 2: offered where a proxy shows us certificates."""


class ClientProfile(StrEnum):
    """How much a client must prove: OpenID Connect as certified, or FAPI 2.0."""

    STANDARD = "standard"
    HIGH = "high"


class SubjectType(StrEnum):
    """OIDC Core section 8."""

    PAIRWISE = "pairwise"
    PUBLIC = "public"


class Approval(StrEnum):
    """What the city says of a client that registered itself."""

    NOT_NEEDED = "not_needed"
    """Registration was open: nobody has looked at it."""
    PENDING = "pending"
    APPROVED = "approved"
    REFUSED = "refused"
    LEFT = "left"
    """It took itself out again (RFC 7592 section 2.3)."""


class GrantType(StrEnum):
    AUTHORIZATION_CODE = "authorization_code"
    REFRESH_TOKEN = "refresh_token"  # noqa: S105  # the name of a grant, no secret
    CLIENT_CREDENTIALS = "client_credentials"


@dataclass(frozen=True, slots=True)
class ClaimUse:
    """One claim that a purpose asks for, and the reason the resident reads beside it."""

    name: str
    is_required: bool
    reason: LocalText


@dataclass(frozen=True, slots=True)
class ClientPurpose:
    """Why a service asks for data: shaped like a purpose of a connector's manifest."""

    id: str
    text: LocalText
    basis: LegalBasis
    legal_reference: str
    """The act and its section; empty only where the basis is consent."""
    retention: str
    """ISO 8601 duration, for instance "P400D"; empty when the service did not say."""
    claims: tuple[ClaimUse, ...]


@dataclass(frozen=True, slots=True)
class Client:
    """A relying party: its RFC 7591 metadata, parsed, and our own additions."""

    id: ClientId
    name: LocalText
    operator: LocalText
    service_url: str
    is_first_party: bool
    """Wording only: nothing skips the resident's decision."""
    profile: ClientProfile
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...]
    authentication_method: AuthenticationMethod
    secret_digest: bytes | None
    jwks: Mapping[str, object] | None
    jwks_uri: str | None
    grant_types: frozenset[GrantType]
    scopes: frozenset[str]
    subject_type: SubjectType
    sector: str
    """The sector identifier's host (OIDC Core section 8.1)."""
    id_token_algorithm: str
    require_pkce: bool
    backchannel_logout_uri: str | None
    is_disabled: bool
    purposes: tuple[ClientPurpose, ...]
    created_at: datetime
    metadata: Mapping[str, object] = field(default_factory=dict)
    """The registered metadata as it came, for display and for RFC 7592."""
    userinfo_signed_response_alg: str | None = None
    """What signs userinfo (OIDC Core section 5.3.2); None: it is plain JSON."""
    jwks_tried_at: datetime | None = None
    """When `jwks` was last asked for at `jwks_uri`, with success or without."""
    approval: Approval | None = None
    """None for a client that the operator registered."""
    grants_ended_at: datetime | None = None
    """When all that it had been granted ended at once; a token without a row ends with it."""

    @property
    def initiate_login_uri(self) -> str | None:
        """Where the client begins a sign-in that somebody else asks for (OIDC Core section 4)."""
        address = self.metadata.get("initiate_login_uri")
        return address if isinstance(address, str) else None


# What a service may receive without having said why: its scopes, by the resident's own wish.
_PLAIN_PURPOSE = "sign_in"
_PLAIN_TEXT: LocalText = MappingProxyType(
    {"en": "Signing in with the city account", "sk": "Prihlásenie mestským kontom"}
)
_OPTIONAL_WITHOUT_PURPOSE = frozenset({"phone_number", "address"})


def purposes_of(client: Client) -> tuple[ClientPurpose, ...]:
    """Return why the client asks; for one that named no purpose, to sign residents in."""
    if client.purposes:
        return client.purposes
    registered = claims_of_scopes(client.scopes)
    uses = tuple(
        ClaimUse(name, name not in _OPTIONAL_WITHOUT_PURPOSE, MappingProxyType({}))
        for name in CLAIMS
        if name in registered and name not in COMPANIONS
    )
    return (ClientPurpose(_PLAIN_PURPOSE, _PLAIN_TEXT, LegalBasis.CONSENT, "", "", uses),)


def claims_open_to(client: Client) -> frozenset[str]:
    """Return every claim that a purpose of the client covers: it receives no other."""
    covered = (claims_covered_by(purpose) for purpose in purposes_of(client))
    return frozenset({"updated_at"}).union(*covered)


def claims_covered_by(purpose: ClientPurpose) -> frozenset[str]:
    """Return the claims that it names, and those that come with them."""
    named = {use.name for use in purpose.claims}
    parts = {"given_name", "family_name"} if "name" in named else set()
    companions = {name for name, claim in COMPANIONS.items() if claim in named}
    return frozenset(named | parts | companions)
