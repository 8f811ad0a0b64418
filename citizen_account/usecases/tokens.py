"""Issue codes, and turn codes, refresh tokens and a client's own wish into tokens."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from citizen_account.domain.claims import Value
from citizen_account.domain.clients import Client
from citizen_account.domain.events import CodeReplayed, RefreshTokenReused, TokensIssued
from citizen_account.domain.grants import (
    Grant,
    GrantEnd,
    GrantId,
    StoredCode,
    StoredToken,
    TokenKind,
)
from citizen_account.openid.grants import (
    ACCESS_TOKEN_LIFETIME,
    CODE_LIFETIME,
    OPENID,
    REFRESH_TOKEN_LIFETIME,
    Replayed,
    Reused,
    TokenForClient,
    TokensToIssue,
    TokensToRenew,
    TokensToRotate,
    decide_for_client,
    decide_redemption,
    decide_refresh,
    refuse_replay,
    refuse_reuse,
)
from citizen_account.openid.id_token import SignInFacts, make_id_token
from citizen_account.openid.provider import Provider
from citizen_account.openid.requests import (
    ClientRequest,
    CodeRequest,
    RefreshRequest,
    TokenRequest,
)
from citizen_account.openid.responses import Issued, Refused
from citizen_account.openid.sender import Confirmation, Presentation, token_type
from citizen_account.openid.userinfo import released_claims, values_of
from citizen_account.security.tokens import digest, new_id, new_secret
from citizen_account.storage.unit_of_work import UnitOfWork
from citizen_account.usecases.client_authentication import authenticate_client
from citizen_account.usecases.releases import releases
from citizen_account.usecases.senders import prove_sender

KEEP_DELIVERIES = timedelta(days=90)


async def issue_code(
    uow: UnitOfWork, grant: Grant, redirect_uri: str, code_challenge: str | None
) -> str:
    """Keep what was granted, and return the code that opens it once."""
    code = new_secret()
    expires_at = uow.now + CODE_LIFETIME
    await uow.grants.add(grant)
    await uow.grants.add_code(
        StoredCode(digest(code), grant, redirect_uri, code_challenge, expires_at, used_at=None)
    )
    return code


async def answer_token_request(
    uow: UnitOfWork, request: TokenRequest, provider: Provider, presentation: Presentation
) -> Issued | Refused:
    """Return tokens or a refusal. A refusal is a value: a replay must leave its trace."""
    client = await authenticate_client(uow, request.credentials, provider, presentation.certificate)
    if isinstance(client, Refused):
        return client
    sender = await prove_sender(uow, provider, client, presentation)
    if isinstance(sender, Refused):
        return sender
    desk = _Desk(uow, client, provider, sender)
    match request:
        case CodeRequest():
            return await desk.redeem(request)
        case RefreshRequest():
            return await desk.refresh(request)
        case ClientRequest():
            return await desk.serve_client(request)
        case unexpected:
            assert_never(unexpected)


async def forget_expired(uow: UnitOfWork) -> None:
    """Drop what has expired, and old lines of the delivery log."""
    await uow.grants.forget_expired(uow.now)
    await uow.assertions.forget_expired(uow.now)
    await uow.proofs.forget_expired(uow.now)
    await uow.logout_deliveries.forget_before(uow.now - KEEP_DELIVERIES)


@dataclass(frozen=True, slots=True)
class _Refreshing:
    """What a new refresh token stands for, and how long."""

    scope: str
    until: datetime


class _Desk:
    """Serve one authenticated client in one transaction."""

    def __init__(
        self, uow: UnitOfWork, client: Client, provider: Provider, sender: Confirmation
    ) -> None:
        self._uow = uow
        self._client = client
        self._provider = provider
        self._sender = sender

    async def redeem(self, request: CodeRequest) -> Issued | Refused:
        code = await self._uow.grants.find_code(digest(request.code))
        decision = decide_redemption(
            request, self._client, code, sender=self._sender, now=self._uow.now
        )
        match decision:
            case TokensToIssue():
                return await self._issue(decision)
            case Replayed(replayed):
                return await self._end_replayed(replayed)
            case Refused():
                return decision
            case unexpected:
                assert_never(unexpected)

    async def refresh(self, request: RefreshRequest) -> Issued | Refused:
        presented = await self._uow.grants.find_token(digest(request.refresh_token))
        decision = decide_refresh(
            request, self._client, presented, sender=self._sender, now=self._uow.now
        )
        match decision:
            case TokensToRotate():
                return await self._rotate(decision)
            case TokensToRenew(renewed, scope):
                return await self._give(renewed.grant, scope, refreshing=None, nonce=None)
            case Reused(reused):
                return await self._end_reused(reused.grant)
            case Refused():
                return decision
            case unexpected:
                assert_never(unexpected)

    async def serve_client(self, request: ClientRequest) -> Issued | Refused:
        decision = decide_for_client(request, self._client)
        match decision:
            case TokenForClient(scope):
                grant = _grant_for_itself(self._client, scope, self._uow.now)
                await self._uow.grants.add(grant)
                return await self._give(grant, scope, refreshing=None, nonce=None)
            case Refused():
                return decision
            case unexpected:
                assert_never(unexpected)

    async def _issue(self, decision: TokensToIssue) -> Issued | Refused:
        code, now = decision.code, self._uow.now
        # Between our reading and this line another process may have used the code: the row decides.
        if not await self._uow.grants.use_code(code.digest, now):
            return await self._end_replayed(code)
        until = _refreshable_until(code.grant, now)
        refreshing = _Refreshing(code.grant.scope, until) if decision.with_refresh_token else None
        return await self._give(code.grant, code.grant.scope, refreshing, nonce=code.grant.nonce)

    async def _rotate(self, decision: TokensToRotate) -> Issued | Refused:
        token, grant = decision.presented.token, decision.presented.grant
        if not await self._uow.grants.use_token(token.digest, self._uow.now):
            return await self._end_reused(grant)
        # The new token is no wider and lives no longer than the old one: 30 days in all.
        refreshing = _Refreshing(token.scope, token.expires_at)
        # OIDC Core section 12.2: no nonce, there was no authentication request.
        return await self._give(grant, decision.scope, refreshing, nonce=None)

    async def _give(
        self, grant: Grant, scope: str, refreshing: _Refreshing | None, nonce: str | None
    ) -> Issued:
        access_token = new_secret()
        refresh_token = None if refreshing is None else new_secret()
        tokens = [self._access_token(grant, scope, access_token)]
        if refreshing is not None and refresh_token is not None:
            tokens.append(self._refresh_token(grant, refreshing, refresh_token))
        await self._uow.grants.add_tokens(tokens)
        await self._note_release(grant, scope)
        self._uow.record(TokensIssued(grant.account_id, grant.client_id, grant.id))
        id_token = await self._id_token(grant, scope, access_token, nonce)
        seconds = int(ACCESS_TOKEN_LIFETIME.total_seconds())
        return Issued(
            access_token, refresh_token, id_token, seconds, scope, token_type(self._sender)
        )

    def _access_token(self, grant: Grant, scope: str, secret: str) -> StoredToken:
        now = self._uow.now
        until = now + ACCESS_TOKEN_LIFETIME
        return StoredToken(
            digest(secret),
            grant.id,
            TokenKind.ACCESS,
            scope,
            now,
            until,
            confirmation=self._sender or None,
        )

    def _refresh_token(self, grant: Grant, refreshing: _Refreshing, secret: str) -> StoredToken:
        scope, until = refreshing.scope, refreshing.until
        now = self._uow.now
        return StoredToken(
            digest(secret),
            grant.id,
            TokenKind.REFRESH,
            scope,
            now,
            until,
            confirmation=self._sender or None,
        )

    async def _id_token(
        self, grant: Grant, scope: str, access_token: str, nonce: str | None
    ) -> str | None:
        # OIDC Core section 3.1.2.1: without `openid` it is plain OAuth.
        if grant.account_id is None or OPENID not in scope.split():
            return None
        facts = SignInFacts(
            self._client, grant, access_token, await self._asked_values(grant, scope), nonce
        )
        return make_id_token(self._provider, facts, now=self._uow.now)

    async def _asked_values(self, grant: Grant, scope: str) -> dict[str, Value]:
        names = grant.id_token_claims & released_claims(grant, scope)
        if not names or grant.account_id is None:
            return {}
        account = await self._uow.accounts.find(grant.account_id)
        return {} if account is None else values_of(account, names)

    async def _note_release(self, grant: Grant, scope: str) -> None:
        if grant.account_id is None:
            return
        for entry in releases(self._client, grant, scope, self._uow.now):
            await self._uow.ledger.add(entry)

    async def _end_replayed(self, code: StoredCode) -> Refused:
        # Told once: whoever repeats the replay does not fill the trail.
        grant = code.grant
        if await self._uow.grants.end(grant.id, GrantEnd.CODE_REPLAYED, self._uow.now):
            self._uow.record(CodeReplayed(grant.account_id, grant.client_id, grant.id))
        return refuse_replay()

    async def _end_reused(self, grant: Grant) -> Refused:
        if await self._uow.grants.end(grant.id, GrantEnd.REFRESH_REUSED, self._uow.now):
            self._uow.record(RefreshTokenReused(grant.account_id, grant.client_id, grant.id))
        return refuse_reuse()


def _refreshable_until(grant: Grant, now: datetime) -> datetime:
    until = now + REFRESH_TOKEN_LIFETIME
    # OIDC Core section 11: without offline_access, access ends when the resident leaves.
    if grant.is_offline or grant.session_ends_at is None:
        return until
    return min(until, grant.session_ends_at)


def _grant_for_itself(client: Client, scope: str, now: datetime) -> Grant:
    return Grant(
        id=GrantId(new_id()),
        client_id=client.id,
        account_id=None,
        session_id=None,
        consent_id=None,
        scope=scope,
        claims=frozenset(),
        nonce=None,
        authenticated_at=None,
        methods=(),
        level=None,
        is_offline=False,
        created_at=now,
    )
