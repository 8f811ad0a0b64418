"""Encode the answer to an authorization request (RFC 6749 section 4.1.2, RFC 9207, JARM)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from authlib.oauth2 import OAuth2Error

from citizen_account.domain.keys import KeyUse
from citizen_account.openid.authorization import ResponseMode, Target
from citizen_account.openid.provider import Provider

# JARM section 2.1: no longer than ten minutes.
RESPONSE_LIFETIME = timedelta(minutes=10)
# JARM section 2.3: how each signed mode travels; `jwt` is what suits the response type.
_SIGNED_MODES = {
    ResponseMode.JWT: ResponseMode.QUERY,
    ResponseMode.QUERY_JWT: ResponseMode.QUERY,
    ResponseMode.FORM_POST_JWT: ResponseMode.FORM_POST,
}


@dataclass(frozen=True, slots=True)
class ClientAnswer:
    """What the browser carries to the client."""

    redirect_uri: str
    mode: ResponseMode
    """QUERY or FORM_POST: how it travels, signed or not."""
    fields: Sequence[tuple[str, str]]

    @property
    def location(self) -> str:
        """The redirect URI with the answer in its query; what it had there stays as it was."""
        joint = "&" if "?" in self.redirect_uri else "?"
        return f"{self.redirect_uri}{joint}{urlencode(self.fields)}"


def answer_with_code(
    target: Target, code: str, provider: Provider, *, now: datetime
) -> ClientAnswer:
    return _answer(target, [("code", code)], provider, now)


def answer_with_error(
    target: Target, error: OAuth2Error, provider: Provider, *, now: datetime
) -> ClientAnswer:
    fields = [("error", str(error.error))]
    if error.description:
        fields.append(("error_description", error.description))
    return _answer(target, fields, provider, now)


def _answer(
    target: Target, fields: Sequence[tuple[str, str]], provider: Provider, now: datetime
) -> ClientAnswer:
    state = [] if target.state is None else [("state", target.state)]
    # RFC 9207 section 2: `iss` in every answer, errors included, against mix-up.
    said = [*fields, *state, ("iss", provider.issuer)]
    if target.mode not in _SIGNED_MODES:
        return ClientAnswer(target.redirect_uri, target.mode, said)
    claims = {
        **dict(said),
        "aud": target.audience,
        "iat": int(now.timestamp()),
        "exp": int((now + RESPONSE_LIFETIME).timestamp()),
    }
    response = provider.keys.signer(KeyUse.ANSWER, target.algorithm).sign(claims)
    return ClientAnswer(target.redirect_uri, _SIGNED_MODES[target.mode], [("response", response)])
