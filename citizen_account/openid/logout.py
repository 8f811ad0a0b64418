"""Decide on a logout that a service asks for (OpenID Connect RP-Initiated Logout 1.0)."""

import re
from dataclasses import dataclass
from urllib.parse import urlencode

from citizen_account.domain.clients import Client, ClientId
from citizen_account.domain.errors import DomainError, ErrorCode
from citizen_account.openid.authorization import Parameters
from citizen_account.openid.id_token import Hint, read_hint
from citizen_account.openid.provider import Provider

_STATE = re.compile(r"[\x20-\x7e]{1,2048}")
_CLIENT_ID = re.compile(r"[\x20-\x7e]{1,255}")


@dataclass(frozen=True, slots=True)
class LogoutRequest:
    """The parameters of section 2; what we do not know is ignored."""

    hint: Hint | None
    client_id: ClientId | None
    """By the hint, or else as the request says."""
    post_logout_redirect_uri: str | None
    state: str | None
    ui_locales: str


@dataclass(frozen=True, slots=True)
class SignOutNow:
    """The service has proven that it speaks of this very session; so has a browser without one."""

    return_to: str | None


@dataclass(frozen=True, slots=True)
class AskFirst:
    """Anybody could have sent the browser here: the resident says what she wants."""

    return_to: str | None


LogoutDecision = SignOutNow | AskFirst


def read_logout_request(parameters: Parameters, provider: Provider) -> LogoutRequest:
    """Return what is asked. Raises: request_malformed, client_unknown, id_token_hint_invalid."""
    fields = _only_once(parameters)
    hint = _hint(fields.get("id_token_hint"), provider)
    client_id = fields.get("client_id")
    if client_id is not None and not _CLIENT_ID.fullmatch(client_id):
        raise DomainError(ErrorCode.CLIENT_UNKNOWN)
    # RP-Initiated Logout section 2: both name the same client, or something is amiss.
    if hint is not None and client_id not in {None, hint.client_id}:
        raise DomainError(ErrorCode.ID_TOKEN_HINT_INVALID)
    state = fields.get("state")
    if state is not None and not _STATE.fullmatch(state):
        raise DomainError(ErrorCode.REQUEST_MALFORMED)
    named = client_id if hint is None else hint.client_id
    return LogoutRequest(
        hint=hint,
        client_id=None if named is None else ClientId(named),
        post_logout_redirect_uri=fields.get("post_logout_redirect_uri"),
        state=state,
        ui_locales=fields.get("ui_locales", ""),
    )


def decide_logout(
    request: LogoutRequest, client: Client | None, *, browser_session: str | None
) -> LogoutDecision:
    """Say whether to ask. `browser_session` is the session's `sid` at the client.

    Where no client is known it is any text, and None where nobody is signed in.

    Raises: client_unknown, post_logout_redirect_uri_unregistered.
    """
    if client is None and request.client_id is not None:
        raise DomainError(ErrorCode.CLIENT_UNKNOWN)
    return_to = _return_address(request, client)
    if browser_session is None:
        return SignOutNow(return_to)
    # OWASP ASVS 5.0 10.6.2: without a hint of this session another site could sign residents out.
    if request.hint is not None and request.hint.session == browser_session:
        return SignOutNow(return_to)
    return AskFirst(return_to)


def _only_once(parameters: Parameters) -> dict[str, str]:
    # RFC 6749 section 3.1: an empty parameter counts as omitted, and none comes twice.
    present = [(name, value) for name, value in parameters if value]
    fields = dict(present)
    if len(fields) != len(present):
        raise DomainError(ErrorCode.REQUEST_MALFORMED)
    return fields


def _hint(token: str | None, provider: Provider) -> Hint | None:
    if token is None:
        return None
    hint = read_hint(token, provider.keys, provider.issuer)
    # RP-Initiated Logout section 4: whatever is wrong with the hint, nobody is sent anywhere.
    if hint is None:
        raise DomainError(ErrorCode.ID_TOKEN_HINT_INVALID)
    return hint


def _return_address(request: LogoutRequest, client: Client | None) -> str | None:
    address = request.post_logout_redirect_uri
    # Without a client nobody has registered the address: it is not followed.
    if address is None or client is None:
        return None
    # RP-Initiated Logout section 3: the exact string, or no redirect.
    if address not in client.post_logout_redirect_uris:
        raise DomainError(ErrorCode.POST_LOGOUT_REDIRECT_URI_UNREGISTERED)
    if request.state is None:
        return address
    return f"{address}{'&' if '?' in address else '?'}{urlencode({'state': request.state})}"
