"""Read what a client says of itself over the network, and tell it what we keep (RFC 7591, 7592)."""

from collections.abc import Mapping
from dataclasses import replace

from authlib.oauth2.rfc7591.errors import InvalidClientMetadataError, InvalidRedirectURIError

from citizen_account.domain.claims import SCOPES
from citizen_account.domain.clients import (
    Approval,
    AuthenticationMethod,
    Client,
    ClientProfile,
    GrantType,
)
from citizen_account.domain.profiles import MAX_NAME, read_line
from citizen_account.domain.texts import in_language
from citizen_account.openid.key_sets import text_members
from citizen_account.openid.metadata_members import Members, RegistrationError
from citizen_account.openid.metadata_urls import host_of
from citizen_account.openid.registration import Registration, Surroundings, read_registration
from citizen_account.openid.responses import Refused
from citizen_account.security.tokens import is_secret_of

# RFC 7591 section 2 with OIDC Registration 1.0 section 2 and the specifications that add to them.
# What is not named here is ignored: above all what only the operator may say of a service, that it
# is the city's own, for which purposes it asks, and by which law.
KNOWN = frozenset(
    {
        "application_type",
        "authorization_signed_response_alg",
        "backchannel_logout_session_required",
        "backchannel_logout_uri",
        "client_name",
        "client_uri",
        "contacts",
        "default_acr_values",
        "default_max_age",
        "dpop_bound_access_tokens",
        "frontchannel_logout_session_required",
        "frontchannel_logout_uri",
        "grant_types",
        "id_token_encrypted_response_alg",
        "id_token_signed_response_alg",
        "initiate_login_uri",
        "introspection_signed_response_alg",
        "jwks",
        "jwks_uri",
        "logo_uri",
        "policy_uri",
        "post_logout_redirect_uris",
        "profile",
        "redirect_uris",
        "request_object_signing_alg",
        "require_auth_time",
        "require_pkce",
        "require_pushed_authorization_requests",
        "require_signed_request_object",
        "response_types",
        "scope",
        "sector_identifier_uri",
        "software_id",
        "software_version",
        "subject_type",
        "tls_client_auth_san_dns",
        "tls_client_auth_san_email",
        "tls_client_auth_san_ip",
        "tls_client_auth_san_uri",
        "tls_client_auth_subject_dn",
        "tls_client_certificate_bound_access_tokens",
        "token_endpoint_auth_method",
        "token_endpoint_auth_signing_alg",
        "tos_uri",
        "userinfo_encrypted_response_alg",
        "userinfo_signed_response_alg",
    }
)
_BY_LANGUAGE = frozenset({"client_name", "client_uri", "logo_uri", "policy_uri", "tos_uri"})
_MOST_LANGUAGES = 40
_LONGEST_LANGUAGE = 35
_MOST_KEYS = 20
# What a client may change without being looked at again: nothing that a resident sees, and no
# address to which she or her data is sent.
_OWN_AFFAIRS = frozenset({"jwks", "jwks_uri", "contacts", "software_id", "software_version"})


def read_self_registration(
    metadata: Mapping[str, object],
    surroundings: Surroundings,
    *,
    requires_pkce: bool,
    previous: Client | None = None,
) -> Registration | Refused:
    """Return the client that describes itself, or why it cannot be.

    `surroundings.new_id` is the client's id, or its previous one.
    """
    try:
        tidied = _tidy(metadata, requires_pkce=requires_pkce)
        found = read_registration(tidied, surroundings, previous)
        return replace(found, client=_named(found.client))
    except RegistrationError as error:
        return refuse(error.member, error.reason)


def refuse(member: str, reason: str) -> Refused:
    """Word the refusal of RFC 7591 section 3.2.2."""
    said = _plain(f"{member} {reason}.")
    if member == "redirect_uris":
        return Refused(InvalidRedirectURIError(said))
    return Refused(InvalidClientMetadataError(said))


def check_update(metadata: Mapping[str, object], client: Client) -> Refused | None:
    """Say what forbids the update, if anything (RFC 7592 section 2.2)."""
    if metadata.get("client_id") != client.id:
        return refuse("client_id", "must be the client's own")
    secret = metadata.get("client_secret")
    if secret is None:
        return None
    # The same section: a client never chooses its secret.
    known = client.secret_digest
    is_its_own = isinstance(secret, str) and known is not None and is_secret_of(secret, known)
    return None if is_its_own else refuse("client_secret", "must be the one that was issued")


def needs_another_look(before: Client, after: Client) -> bool:
    """Say whether what an administrator approved has become something else."""
    return _looked_at(before) != _looked_at(after)


def describe(client: Client) -> dict[str, object]:
    """Return what is registered, defaults and what we replaced included, and no secret."""
    described: dict[str, object] = {
        "application_type": "web",
        "client_name": in_language(client.name, "en"),
        **client.metadata,
        "client_id": client.id,
        "client_id_issued_at": int(client.created_at.timestamp()),
        "redirect_uris": list(client.redirect_uris),
        "grant_types": sorted(client.grant_types),
        "response_types": ["code"] if GrantType.AUTHORIZATION_CODE in client.grant_types else [],
        "token_endpoint_auth_method": client.authentication_method.value,
        "scope": " ".join(name for name in SCOPES if name in client.scopes),
        "subject_type": client.subject_type.value,
        "id_token_signed_response_alg": client.id_token_algorithm,
        "profile": client.profile.value,
        "require_pkce": client.require_pkce,
    }
    if client.userinfo_signed_response_alg is not None:
        described["userinfo_signed_response_alg"] = client.userinfo_signed_response_alg
    if client.approval is not None and client.approval is not Approval.NOT_NEEDED:
        described["registration_status"] = client.approval.value
    return described


def _tidy(metadata: Mapping[str, object], *, requires_pkce: bool) -> dict[str, object]:
    named = [name for name in metadata if "#" in name]
    if len(named) > _MOST_LANGUAGES or any(len(name) > _MOST_LANGUAGES * 2 for name in named):
        raise RegistrationError("client_name", "comes in too many languages")
    # RFC 7591 section 2.2: a null stands for a member that is left out.
    kept = {
        name: value
        for name, value in metadata.items()
        if value is not None and (name in KNOWN or name.partition("#")[0] in _BY_LANGUAGE)
    }
    for name in ("software_id", "software_version"):
        Members(kept).text(name, maximum=255)
    if "scope" in kept:
        kept["scope"] = _scope(Members(kept))
    if "jwks" in kept:
        kept["jwks"] = _public_keys(Members(kept))
    kept["require_pkce"] = _requires_pkce(Members(kept), requires_pkce=requires_pkce)
    return kept


def _scope(members: Members) -> str:
    asked = (members.text("scope") or "").split()
    # RFC 7591 section 2: we may register fewer than asked. APIs are opened by the operator.
    given = [name for name in SCOPES if name in asked]
    if not given:
        raise RegistrationError("scope", f"must name some of {', '.join(SCOPES)}")
    return " ".join(given)


def _public_keys(members: Members) -> Mapping[str, object]:
    jwks = members.mapping("jwks") or {}
    keys = jwks.get("keys")
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise RegistrationError("jwks", "must be an object with a list of keys")
    if len(keys) > _MOST_KEYS:
        raise RegistrationError("jwks", f"must hold {_MOST_KEYS} keys at most")
    return {"keys": [text_members(key) for key in keys]}


def _requires_pkce(members: Members, *, requires_pkce: bool) -> bool:
    method = members.choice("token_endpoint_auth_method", AuthenticationMethod.BASIC)
    profile = members.choice("profile", ClientProfile.STANDARD)
    # Certified plain clients do not ask for the exemption: where it is open to them they have it.
    may_go_without = (
        not requires_pkce
        and method is not AuthenticationMethod.NONE
        and profile is ClientProfile.STANDARD
    )
    return members.flag("require_pkce", default=not may_go_without) or not may_go_without


def _named(client: Client) -> Client:
    for name in client.name.values():
        # UTS 39: what turns a text around or cannot be seen makes a name look like another.
        if read_line(name, MAX_NAME) != name:
            raise RegistrationError(
                "client_name", f"must be one line of {MAX_NAME} visible characters at most"
            )
    # Who runs it nobody has checked; where its answers go to is certain.
    return replace(client, operator={"en": host_of(client.redirect_uris) or client.id})


def _looked_at(client: Client) -> tuple[object, ...]:
    shown = {name: value for name, value in client.metadata.items() if name not in _OWN_AFFAIRS}
    return (shown, client.name, client.redirect_uris, client.scopes, client.sector, client.profile)


def _plain(text: str) -> str:
    # RFC 6749 section 5.2: printable ASCII without quotation mark and backslash.
    ascii_only = text.encode("ascii", "replace").decode()
    return "".join("?" if mark in '"\\' or not mark.isprintable() else mark for mark in ascii_only)
