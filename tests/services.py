"""Build a service, what a resident granted it, and the provider that answers it."""

from dataclasses import replace
from functools import lru_cache
from typing import Any
from uuid import UUID

from citizen_account.bootstrap import Runtime
from citizen_account.domain.accounts import AccountId, Level, Profile, SessionId
from citizen_account.domain.clients import (
    AuthenticationMethod,
    Client,
    ClientId,
    ClientProfile,
    GrantType,
    SubjectType,
)
from citizen_account.domain.emails import EmailAddress
from citizen_account.domain.grants import (
    Grant,
    GrantId,
    PresentedToken,
    StoredCode,
    StoredToken,
    TokenKind,
)
from citizen_account.domain.keys import KEY_KINDS, StoredKey
from citizen_account.openid.provider import Provider
from citizen_account.security.signing import build_ring, generate_key
from citizen_account.security.tokens import digest, new_id
from citizen_account.storage.accounts import NewAccount
from citizen_account.usecases.clients import import_client
from citizen_account.usecases.tokens import issue_code
from tests.factories import CHALLENGE, ISSUER, REDIRECT_URI, START

AFTER_LOGOUT = "https://library.example/goodbye"
LIBRARY_ID = ClientId("library")
SECRET = "an invented secret of forty characters..".replace(" ", "-")
LIBRARY = Client(
    id=LIBRARY_ID,
    name={"en": "Library"},
    operator={"en": "City"},
    service_url="https://library.example/",
    is_first_party=False,
    profile=ClientProfile.STANDARD,
    redirect_uris=(REDIRECT_URI,),
    post_logout_redirect_uris=(AFTER_LOGOUT,),
    authentication_method=AuthenticationMethod.BASIC,
    secret_digest=digest(SECRET),
    jwks=None,
    jwks_uri=None,
    grant_types=frozenset({GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN}),
    scopes=frozenset({"openid", "profile", "email", "phone", "offline_access"}),
    subject_type=SubjectType.PAIRWISE,
    sector="library.example",
    id_token_algorithm="RS256",
    require_pkce=True,
    backchannel_logout_uri=None,
    is_disabled=False,
    purposes=(),
    created_at=START,
)
# The eight claims of the scope `profile` that an account holds only where they came with it.
FURTHER = {
    "middle_name": "Mária",
    "nickname": "Janka",
    "preferred_username": "jana.n",
    "gender": "female",
    "zoneinfo": "Europe/Bratislava",
    "profile": "https://people.example/jana",
    "picture": "https://people.example/jana.jpg",
    "website": "https://jana.example/",
}
GRANT = Grant(
    id=GrantId(UUID(int=10)),
    client_id=LIBRARY_ID,
    account_id=AccountId(UUID(int=1)),
    session_id=SessionId(UUID(int=2)),
    consent_id=None,
    scope="openid profile email",
    claims=frozenset({"name", "email", "email_verified"}),
    nonce="n-0S6_WzA2Mj",
    authenticated_at=START,
    methods=("pwd",),
    level=Level.LOW,
    is_offline=False,
    created_at=START,
)


@lru_cache(maxsize=1)
def provider() -> Provider:
    """Return our provider with one key for each use and algorithm."""
    keys = []
    for use, algorithm in KEY_KINDS:
        kid, private_key = generate_key(algorithm)
        keys.append(StoredKey(kid, use, algorithm, 1, private_key, START, START))
    return Provider(ISSUER, b"pairwise", build_ring(keys, START), b"nonce")


def a_code(**changes: Any) -> StoredCode:  # noqa: ANN401  # fields of each type
    """Return a code that may be redeemed; a change of `grant` is a whole grant."""
    code = StoredCode(
        digest=digest("code"),
        grant=GRANT,
        redirect_uri=REDIRECT_URI,
        code_challenge=CHALLENGE,
        expires_at=START.replace(minute=1),
        used_at=None,
    )
    return replace(code, **changes)


def a_refresh_token(grant: Grant = GRANT, **changes: Any) -> PresentedToken:  # noqa: ANN401  # as above
    """Return a refresh token that may be exchanged."""
    token = StoredToken(
        digest=digest("refresh"),
        grant_id=grant.id,
        kind=TokenKind.REFRESH,
        scope=grant.scope,
        issued_at=START,
        expires_at=START.replace(day=31),
    )
    return PresentedToken(replace(token, **changes), grant)


async def open_account(runtime: Runtime, account_id: AccountId, **changes: Any) -> None:  # noqa: ANN401  # as above
    """Give the city a resident."""
    profile = Profile(given_name="Jana", family_name="Nováková", phone_number="+421900000000")
    account = NewAccount(account_id, EmailAddress("jana@example.sk"), profile, "sk", Level.LOW)
    async with runtime.database.begin() as uow:
        assert await uow.accounts.add(replace(account, **changes), uow.now)


async def register(runtime: Runtime, **metadata: object) -> Client:
    """Import a service as the operator does; without metadata it is the library."""
    library: dict[str, object] = {
        "client_id": LIBRARY_ID,
        "client_secret": SECRET,
        "client_name": "Library",
        "redirect_uris": [REDIRECT_URI],
        "post_logout_redirect_uris": [AFTER_LOGOUT],
        "grant_types": ["authorization_code", "refresh_token"],
        "scope": "openid profile email phone offline_access",
    }
    asked = {name: value for name, value in {**library, **metadata}.items() if value is not None}
    async with runtime.database.begin() as uow:
        registration = await import_client(
            uow, asked, is_development=runtime.is_development, mutual_tls=runtime.mutual_tls
        )
    return registration.client


async def authorize(runtime: Runtime, **changes: Any) -> str:  # noqa: ANN401  # as above
    """Leave what /authorize leaves: a grant of its own; return the code that opens it."""
    now = runtime.clock()
    challenge = changes.pop("code_challenge", CHALLENGE)
    grant = replace(GRANT, id=GrantId(new_id()), authenticated_at=now, created_at=now)
    async with runtime.database.begin() as uow:
        return await issue_code(uow, replace(grant, **changes), REDIRECT_URI, challenge)
