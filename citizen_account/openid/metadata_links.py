"""Judge the members that name pages of the client, and how it wishes residents to be signed in."""

from citizen_account.openid.metadata_members import Members
from citizen_account.openid.metadata_urls import origin_of, read_uri

PAGES = ("client_uri", "logo_uri", "policy_uri", "tos_uri")
_FLAGS = (
    "require_auth_time",
    "backchannel_logout_session_required",
    "frontchannel_logout_session_required",
)
_APPLICATION_TYPES = ("web", "native")
_LISTS = ("contacts", "default_acr_values")
# A year: longer ago is no sign-in that anybody would count on.
_LONGEST_AGE = 31_536_000
_MOST_WORDS = 20
_LONGEST_WORD = 255


def check_links(members: Members, redirect_uris: tuple[str, ...], *, is_development: bool) -> None:
    """Refuse what cannot be kept or shown. Raises: RegistrationError."""
    for name in members.names:
        # OIDC Registration section 2.1: a page for each language.
        if name.partition("#")[0] in PAGES:
            read_uri(members, name, is_development=is_development)
    # OIDC Core section 4: https, also in development.
    read_uri(members, "initiate_login_uri", is_development=False)
    members.one_of("application_type", _APPLICATION_TYPES, "web")
    for name in _FLAGS:
        members.flag(name, default=False)
    for name in _LISTS:
        _check_words(members, name)
    _check_default_age(members)
    _check_frontchannel(members, redirect_uris, is_development=is_development)


def _check_words(members: Members, name: str) -> None:
    words = members.words(name)
    if len(words) > _MOST_WORDS or any(not 0 < len(word) <= _LONGEST_WORD for word in words):
        raise members.fail(name, f"must be {_MOST_WORDS} texts at most, none empty or very long")
    if any(not word.isprintable() for word in words):
        raise members.fail(name, "holds a character that cannot be shown")


def _check_default_age(members: Members) -> None:
    age = members.raw("default_max_age")
    if age is None:
        return
    if isinstance(age, bool) or not isinstance(age, int) or not 0 <= age <= _LONGEST_AGE:
        raise members.fail("default_max_age", f"must be seconds, from 0 to {_LONGEST_AGE}")


def _check_frontchannel(
    members: Members, redirect_uris: tuple[str, ...], *, is_development: bool
) -> None:
    name = "frontchannel_logout_uri"
    address = read_uri(members, name, is_development=is_development)
    origins = {origin_of([each]) for each in redirect_uris}
    # Front-Channel Logout 1.0 section 2: an origin of its redirect URIs.
    if address is not None and origin_of([address]) not in origins:
        raise members.fail(name, "must have the scheme, host and port of a redirect URI")
