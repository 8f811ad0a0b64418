"""Encode the answer to an authorization request (RFC 6749 section 4.1.2, RFC 9207)."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from authlib.oauth2 import OAuth2Error

from citizen_account.openid.authorization import ResponseMode, Target


@dataclass(frozen=True, slots=True)
class ClientAnswer:
    """What the browser carries to the client."""

    redirect_uri: str
    mode: ResponseMode
    fields: Sequence[tuple[str, str]]

    @property
    def location(self) -> str:
        """The redirect URI with the answer in its query; what it had there stays as it was."""
        joint = "&" if "?" in self.redirect_uri else "?"
        return f"{self.redirect_uri}{joint}{urlencode(self.fields)}"


def answer_with_code(target: Target, code: str, issuer: str) -> ClientAnswer:
    return _answer(target, [("code", code)], issuer)


def answer_with_error(target: Target, error: OAuth2Error, issuer: str) -> ClientAnswer:
    fields = [("error", str(error.error))]
    if error.description:
        fields.append(("error_description", error.description))
    return _answer(target, fields, issuer)


def _answer(target: Target, fields: Sequence[tuple[str, str]], issuer: str) -> ClientAnswer:
    state = [] if target.state is None else [("state", target.state)]
    # RFC 9207 section 2: `iss` in every answer, errors included, against mix-up.
    return ClientAnswer(target.redirect_uri, target.mode, [*fields, *state, ("iss", issuer)])
