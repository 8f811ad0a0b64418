"""Read the `claims` parameter of an authorization request (OIDC Core section 5.5)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from authlib.oauth2.rfc6749.errors import InvalidRequestError

from citizen_account.domain.accounts import Level
from citizen_account.domain.assurance import LEVEL_OF_ACR
from citizen_account.domain.claims import CLAIMS

_MEMBERS = ("userinfo", "id_token")


@dataclass(frozen=True, slots=True)
class ClaimsRequest:
    """What a client asks for claim by claim; claims that we do not know are left out.

    `essential` weighs nothing for the resident's data: what is needed is said by the purposes that
    the city approved, and the resident decides. For `acr` it is a demand.
    """

    userinfo: frozenset[str] = frozenset()
    id_token: frozenset[str] = frozenset()
    essential_levels: frozenset[Level] = frozenset()
    """The sign-in must reach one of these, or fail (section 5.5.1.1); empty: not asked for."""
    subject: str | None = None
    """Only this resident will do (section 5.5.1)."""

    @property
    def names(self) -> frozenset[str]:
        return self.userinfo | self.id_token


def read_claims_request(text: str | None) -> ClaimsRequest:
    """Return what is asked for. Raises: InvalidRequestError for what is no object of objects."""
    if text is None:
        return ClaimsRequest()
    userinfo, id_token = (_member(_parsed(text), name) for name in _MEMBERS)
    return ClaimsRequest(
        userinfo=frozenset(userinfo) & frozenset(CLAIMS),
        id_token=frozenset(id_token) & frozenset(CLAIMS),
        essential_levels=_essential_levels(id_token.get("acr")),
        subject=_wanted_subject(id_token.get("sub") or userinfo.get("sub")),
    )


def _parsed(text: str) -> Mapping[str, object]:
    try:
        parsed = json.loads(text)
    # A deep nest exhausts the parser's stack; a long number is a ValueError too.
    except (ValueError, RecursionError):
        raise InvalidRequestError("The claims parameter is no JSON.") from None
    if not isinstance(parsed, dict):
        raise InvalidRequestError("The claims parameter is no JSON object.")
    return parsed


def _member(parsed: Mapping[str, object], name: str) -> Mapping[str, object]:
    member = parsed.get(name) or {}
    if not isinstance(member, dict):
        raise InvalidRequestError("A member of the claims parameter is no JSON object.")
    return member


def _is_essential(wish: object) -> bool:
    return isinstance(wish, dict) and wish.get("essential") is True


def _values(wish: object) -> list[object]:
    if not isinstance(wish, dict):
        return []
    several = wish.get("values")
    return several if isinstance(several, list) else [wish.get("value")]


def _essential_levels(wish: object) -> frozenset[Level]:
    if not _is_essential(wish):
        return frozenset()
    wanted = [value for value in _values(wish) if isinstance(value, str)]
    levels = frozenset(LEVEL_OF_ACR[value] for value in wanted if value in LEVEL_OF_ACR)
    if wanted and not levels:
        # OIDC Core section 5.5.1.1: a demand that nobody here can meet fails the sign-in.
        raise InvalidRequestError("No requested acr value is supported.")
    return levels


def _wanted_subject(wish: object) -> str | None:
    return next((value for value in _values(wish) if isinstance(value, str)), None)
