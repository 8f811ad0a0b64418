"""Read the operator's list of other providers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Self

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

from citizen_account.domain.accounts import Level
from citizen_account.domain.claims import FURTHER
from citizen_account.domain.upstreams import Upstream, UpstreamId
from citizen_account.upstream.metadata import is_trustworthy

CLAIMS = ("given_name", "family_name", "birthdate", "email", "email_verified")
_KINDS: Mapping[str, type[RSAKey | ECKey | OKPKey]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
_ALGORITHMS = {"RSA": "PS256", "EC": "ES256", "OKP": "EdDSA"}


class UpstreamsFileError(Exception):
    """The file cannot be read or says something impossible; the text is for the operator."""


class UpstreamEntry(BaseModel):
    """One entry of the file; anything else in it is a mistake worth a word."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
    issuer: str
    client_id: Annotated[str, Field(min_length=1, max_length=255)]
    client_secret: SecretStr | None = None
    key: Mapping[str, str] | None = Field(default=None, repr=False)
    """A private JWK for private_key_jwt (RFC 7523)."""
    scopes: tuple[Annotated[str, Field(pattern=r"^[\x21\x23-\x5b\x5d-\x7e]+$")], ...] = ("openid",)
    title: Annotated[Mapping[str, str], Field(min_length=1)]
    acr: Mapping[str, Level] = Field(default_factory=dict)
    claims: Mapping[str, str] = Field(default_factory=dict)

    @field_validator("issuer")
    @classmethod
    def check_issuer(cls, issuer: str) -> str:
        if not is_trustworthy(issuer) or "?" in issuer:
            raise ValueError("must be an https address without a query")
        return issuer

    @field_validator("claims")
    @classmethod
    def check_claims(cls, claims: Mapping[str, str]) -> Mapping[str, str]:
        unknown = sorted(set(claims) - {*CLAIMS, *FURTHER})
        if unknown:
            known = ", ".join((*CLAIMS, *FURTHER))
            raise ValueError(f"can name {known}, not {', '.join(unknown)}")
        return claims

    @model_validator(mode="after")
    def check_whole(self) -> Self:
        if (self.client_secret is None) is (self.key is None):
            raise ValueError("needs either client_secret or key")
        if "openid" not in self.scopes:
            raise ValueError("scopes must hold openid")
        return self


@dataclass(frozen=True, slots=True)
class Credentials:
    """How we prove ourselves to another provider."""

    client_id: str
    secret: str | Key = field(repr=False)
    algorithm: str | None
    """Of a key; None for a shared secret."""


@dataclass(frozen=True, slots=True)
class ListedUpstream:
    upstream: Upstream
    credentials: Credentials
    scope: str
    claims: Mapping[str, str]
    """From our name of a claim to theirs. Of the further ones only those that the file names."""


def read_upstreams(file: Path) -> tuple[ListedUpstream, ...]:
    """Return the list in its order. Raises: UpstreamsFileError."""
    try:
        entries = TypeAdapter(list[UpstreamEntry]).validate_json(file.read_bytes())
    except OSError as error:
        raise UpstreamsFileError(f"{file}: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UpstreamsFileError(f"{file}: {where}: {first['msg']}") from None
    ids = [entry.id for entry in entries]
    if len(set(ids)) != len(ids) or len({entry.issuer for entry in entries}) != len(ids):
        raise UpstreamsFileError(f"{file}: an id or an issuer stands twice")
    return tuple(_listed(entry, file) for entry in entries)


def _listed(entry: UpstreamEntry, file: Path) -> ListedUpstream:
    return ListedUpstream(
        upstream=Upstream(UpstreamId(entry.id), entry.issuer, entry.title, entry.acr),
        credentials=_credentials(entry, file),
        scope=" ".join(dict.fromkeys(entry.scopes)),
        claims={name: name for name in CLAIMS} | dict(entry.claims),
    )


def _credentials(entry: UpstreamEntry, file: Path) -> Credentials:
    if entry.client_secret is not None:
        return Credentials(entry.client_id, entry.client_secret.get_secret_value(), None)
    member = dict(entry.key or {})
    kind = str(member.get("kty"))
    try:
        key = _KINDS[kind].import_key(json.loads(json.dumps(member)))
    except (KeyError, ValueError, JoseError):
        raise UpstreamsFileError(
            f"{file}: {entry.id}: key is no private RSA, EC or OKP key"
        ) from None
    if not key.is_private:
        raise UpstreamsFileError(f"{file}: {entry.id}: key has no private part")
    return Credentials(entry.client_id, key, member.get("alg", _ALGORITHMS[kind]))
