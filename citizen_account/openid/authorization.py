"""Read an authorization request (RFC 6749 section 4.1.1, OIDC Core section 3.1.2, RFC 7636)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749.errors import (
    InvalidRequestError,
    InvalidScopeError,
    UnauthorizedClientError,
    UnsupportedResponseTypeError,
)
from authlib.oidc.core.errors import (
    RegistrationNotSupportedError,
    RequestNotSupportedError,
    RequestURINotSupportedError,
)

from citizen_account.domain.accounts import Level
from citizen_account.domain.assurance import LEVEL_OF_ACR
from citizen_account.domain.claims import SCOPES
from citizen_account.domain.clients import (
    Approval,
    AuthenticationMethod,
    Client,
    ClientId,
    ClientProfile,
    GrantType,
)
from citizen_account.domain.errors import DomainError, ErrorCode
from citizen_account.openid.claims_request import ClaimsRequest, read_claims_request
from citizen_account.openid.redirects import is_registered
from citizen_account.openid.resources import read_resources
from citizen_account.openid.sender import read_jkt
from citizen_account.openid.signed_answers import algorithm_for

Parameters = Sequence[tuple[str, str]]

MAX_VALUE = 2048
MAX_LONG_VALUE = 16_384
_LONG = frozenset({"claims", "id_token_hint"})
# RFC 8707 section 2 is the one that lets a parameter come twice.
_REPEATABLE = frozenset({"resource"})
_VISIBLE_ASCII = re.compile(r"[\x20-\x7e]+")
_CLIENT_ID = re.compile(r"[\x20-\x7e]{1,255}")
# RFC 7636 section 4.2: the 43 characters of BASE64URL(SHA256(verifier)).
_S256_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_SECONDS = re.compile(r"[0-9]{1,9}")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


class ResponseMode(StrEnum):
    """How the answer travels to the client."""

    QUERY = "query"
    FORM_POST = "form_post"
    JWT = "jwt"
    QUERY_JWT = "query.jwt"
    FORM_POST_JWT = "form_post.jwt"


class Prompt(StrEnum):
    """OIDC Core section 3.1.2.1, and Initiating User Registration 1.0."""

    NONE = "none"
    LOGIN = "login"
    CONSENT = "consent"
    CREATE = "create"
    SELECT_ACCOUNT = "select_account"


@dataclass(frozen=True, slots=True)
class Target:
    """Where a client is answered, and by what it knows its request again."""

    redirect_uri: str
    mode: ResponseMode
    state: str | None
    audience: ClientId
    algorithm: str
    """Who verifies a signed answer, and by which algorithm (JARM section 3)."""


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A request whose every rule is checked that needs no resident."""

    client_id: ClientId
    target: Target
    scope: tuple[str, ...]
    """In the client's order, without those it may not have."""
    nonce: str | None
    code_challenge: str | None
    prompts: frozenset[Prompt]
    max_age: int | None
    """Seconds since the last sign-in."""
    login_hint: str
    ui_locales: str
    id_token_hint: str | None
    levels: tuple[Level, ...]
    """`acr_values`, the most welcome first; what we do not know is left out."""
    claims: ClaimsRequest
    resources: tuple[str, ...] = ()
    """The resource servers that its tokens may be for (RFC 8707)."""
    dpop_jkt: str | None = None
    """The key that must redeem the code (RFC 9449 section 10)."""


@dataclass(frozen=True, slots=True)
class RefusedToClient:
    """Answer the client with an error: its redirect URI is proven to be its own."""

    target: Target
    error: OAuth2Error


def find_client_id(parameters: Parameters) -> ClientId:
    """Return who claims to ask. Raises: request_malformed, client_unknown."""
    client_id = _single(parameters, "client_id")
    # RFC 6749 appendix A.1: client_id = *VSCHAR. PostgreSQL would refuse a NUL with an exception.
    if client_id is None or not _CLIENT_ID.fullmatch(client_id):
        raise DomainError(ErrorCode.CLIENT_UNKNOWN)
    return ClientId(client_id)


def read_authorization_request(
    parameters: Parameters, client: Client | None, *, is_pushed: bool = False
) -> AuthorizationRequest | RefusedToClient:
    """Return the request or how to refuse it to the client.

    Raises: request_malformed, client_unknown, client_pending, redirect_uri_unregistered. Nothing
    is sent to an address then (RFC 6749 section 4.1.2.1, RFC 9700 section 4.11.2): our own page
    says why.
    """
    if client is not None and client.approval is Approval.PENDING:
        raise DomainError(ErrorCode.CLIENT_PENDING)
    if client is None or client.is_disabled:
        raise DomainError(ErrorCode.CLIENT_UNKNOWN)
    target = _target(parameters, client)
    try:
        if requires_push(client) and not is_pushed:
            raise InvalidRequestError("The client must push its requests.")
        resources = read_resources([text for name, text in parameters if name == "resource"])
        return _read(_only_once(parameters), client, target, resources)
    except OAuth2Error as error:
        return RefusedToClient(target, error)


def requires_push(client: Client) -> bool:
    """Say whether the client's requests come by /par alone."""
    # RFC 9126 section 6, and FAPI 2.0 section 5.3.2.2 clause 3.
    wished = client.metadata.get("require_pushed_authorization_requests") is True
    return wished or client.profile is ClientProfile.HIGH


def _target(parameters: Parameters, client: Client) -> Target:
    redirect_uri = _single(parameters, "redirect_uri")
    if redirect_uri is None or not is_registered(client, redirect_uri):
        raise DomainError(ErrorCode.REDIRECT_URI_UNREGISTERED)
    modes = [value for name, value in parameters if name == "response_mode"]
    mode = modes[0] if modes and modes[0] in list(ResponseMode) else ResponseMode.QUERY
    states = [value for name, value in parameters if name == "state" and value]
    # Of two states, or of one we would refuse, none is sent back.
    state = states[0] if len(states) == 1 and _is_state(states[0]) else None
    algorithm = algorithm_for(client, "authorization_signed_response_alg")
    return Target(redirect_uri, ResponseMode(mode), state, client.id, algorithm)


def _read(
    fields: dict[str, str], client: Client, target: Target, resources: tuple[str, ...]
) -> AuthorizationRequest:
    _require_grammar(fields)
    _refuse_request_objects(fields)
    _require_code(fields, client)
    scope = _scope(fields, client)
    return AuthorizationRequest(
        client_id=client.id,
        target=target,
        scope=scope,
        nonce=fields.get("nonce"),
        code_challenge=_code_challenge(fields, client),
        prompts=_prompts(fields),
        max_age=_max_age(fields, client),
        login_hint=fields.get("login_hint", ""),
        ui_locales=fields.get("ui_locales", ""),
        id_token_hint=fields.get("id_token_hint"),
        levels=_levels(fields, client),
        claims=read_claims_request(fields.get("claims")),
        resources=resources,
        dpop_jkt=read_jkt(fields.get("dpop_jkt")),
    )


def _single(parameters: Parameters, name: str) -> str | None:
    values = [value for field, value in parameters if field == name and value]
    # RFC 6749 section 3.1: none comes twice. Which of two is meant, nobody can say.
    if len(values) > 1:
        raise DomainError(ErrorCode.REQUEST_MALFORMED)
    return values[0] if values else None


def _only_once(parameters: Parameters) -> dict[str, str]:
    # RFC 6749 section 3.1: an empty parameter counts as omitted, and none comes twice.
    present = [(name, value) for name, value in parameters if value and name not in _REPEATABLE]
    fields = dict(present)
    if len(fields) != len(present):
        raise InvalidRequestError("A parameter is repeated.")
    return fields


def _is_state(value: str) -> bool:
    # RFC 6749 appendix A.5: state = 1*VSCHAR.
    return len(value) <= MAX_VALUE and _VISIBLE_ASCII.fullmatch(value) is not None


_KNOWN = frozenset(
    {
        "response_type",
        "response_mode",
        "scope",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
        "prompt",
        "max_age",
        "login_hint",
        "ui_locales",
        "id_token_hint",
        "acr_values",
        "claims",
    }
)


def _require_grammar(fields: dict[str, str]) -> None:
    if "state" in fields and not _is_state(fields["state"]):
        raise InvalidRequestError("The state is too long or malformed.")
    for name in _KNOWN & fields.keys():
        if len(fields[name]) > (MAX_LONG_VALUE if name in _LONG else MAX_VALUE):
            raise InvalidRequestError(f"The parameter {name} is too long.")
        if _CONTROLS.search(fields[name]):
            raise InvalidRequestError(f"The parameter {name} is malformed.")


def _refuse_request_objects(fields: dict[str, str]) -> None:
    # OIDC Core sections 6.1, 6.2 and 7.2.1: what is not supported is refused, never ignored.
    if "request" in fields:
        raise RequestNotSupportedError
    if "request_uri" in fields:
        raise RequestURINotSupportedError
    if "registration" in fields:
        raise RegistrationNotSupportedError


def _require_code(fields: dict[str, str], client: Client) -> None:
    response_type = fields.get("response_type")
    if response_type is None:
        raise InvalidRequestError("The parameter response_type is missing.")
    # RFC 9700 section 2.1.2: no token travels in a redirect.
    if response_type != "code":
        raise UnsupportedResponseTypeError(None, "The response_type must be code.")
    if fields.get("response_mode", ResponseMode.QUERY) not in list(ResponseMode):
        raise InvalidRequestError("The response_mode is not supported.")
    # RFC 6749 section 4.1.2.1: a client is held to the grants it registered.
    if GrantType.AUTHORIZATION_CODE not in client.grant_types:
        raise UnauthorizedClientError("The client may not use the authorization code.")


def _scope(fields: dict[str, str], client: Client) -> tuple[str, ...]:
    asked = dict.fromkeys(fields.get("scope", "").split())
    # OIDC Core section 3.1.2.1: scopes that are not understood are ignored; so are those that
    # the client did not register (RFC 6749 section 3.3: the answer says what was granted).
    scope = tuple(name for name in asked if name in client.scopes)
    # Without `openid` it is plain OAuth 2.0: of use only to a client with scopes of an API.
    if "openid" not in scope and not set(scope) - set(SCOPES):
        raise InvalidScopeError("The scope must contain openid.")
    return scope


def _code_challenge(fields: dict[str, str], client: Client) -> str | None:
    challenge = fields.get("code_challenge")
    method = fields.get("code_challenge_method")
    if challenge is None and method is None and not needs_pkce(client):
        return None
    # RFC 7636 section 4.4.1: whoever must send a challenge and does not is refused.
    if challenge is None:
        raise InvalidRequestError("The code_challenge is missing.")
    # RFC 9700 section 2.1.1: S256 alone. A missing method would mean plain (RFC 7636 section 4.3).
    if method != "S256":
        raise InvalidRequestError("The code_challenge_method must be S256.")
    if not _S256_CHALLENGE.fullmatch(challenge):
        raise InvalidRequestError("The code_challenge is malformed.")
    return challenge


def needs_pkce(client: Client) -> bool:
    """Say whether the client must send a challenge: all but exempted confidential ones."""
    return (
        client.require_pkce
        or client.authentication_method is AuthenticationMethod.NONE
        or client.profile is ClientProfile.HIGH
    )


def _prompts(fields: dict[str, str]) -> frozenset[Prompt]:
    asked = set(fields.get("prompt", "").split())
    # OIDC Core section 3.1.2.1: a value that is not supported is an invalid_request.
    if not asked <= set(Prompt):
        raise InvalidRequestError("The prompt is not supported.")
    # The same section: none stands alone.
    if Prompt.NONE in asked and len(asked) > 1:
        raise InvalidRequestError("The prompt none stands alone.")
    return frozenset(Prompt(value) for value in asked)


def _max_age(fields: dict[str, str], client: Client) -> int | None:
    text = fields.get("max_age")
    if text is None:
        default = client.metadata.get("default_max_age")
        return default if isinstance(default, int) else None
    if not _SECONDS.fullmatch(text):
        raise InvalidRequestError("The max_age is no number of seconds.")
    return int(text)


def _levels(fields: dict[str, str], client: Client) -> tuple[Level, ...]:
    asked: Sequence[object] = fields.get("acr_values", "").split()
    default = client.metadata.get("default_acr_values")
    # OIDC Registration section 2: what the client asks for in general counts where it says nothing.
    if not asked and isinstance(default, list):
        asked = default
    return tuple(
        LEVEL_OF_ACR[value] for value in asked if isinstance(value, str) and value in LEVEL_OF_ACR
    )
