"""Issue codes, and turn codes, refresh tokens and a client's own wish into tokens."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from citizen_account.domain.claims import FURTHER, Value, held_further, only_held
from citizen_account.domain.clients import Client
from citizen_account.domain.events import CodeReplayed, RefreshTokenReused, TokensIssued
from citizen_account.domain.grants import (
    Grant,
    GrantEnd,
    GrantId,
    PresentedToken,
    StoredCode,
    StoredToken,
    TokenKind,
    own_grant,
)
from citizen_account.domain.resources import ResourceServer
from citizen_account.openid.access_token import AccessFacts, lifetime_of, make_access_token
from citizen_account.openid.grants import (
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
from citizen_account.openid.resources import choose_resource, narrow_scope, refuse_below
from citizen_account.openid.responses import Issued, Refused
from citizen_account.openid.sender import Confirmation, Presentation, token_type
from citizen_account.openid.userinfo import released_claims, values_of
from citizen_account.security.tokens import digest, new_id, new_secret
from citizen_account.storage.unit_of_work import UnitOfWork
from citizen_account.usecases.client_authentication import authenticate_found
from citizen_account.usecases.releases import releases
from citizen_account.usecases.resources import find_target
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
    """Return tokens or a refusal. A refusal is a value: a replay must leave its trace.

    Raises: LostRaceError when another used the code or refresh token meanwhile, or changed the
    client that asks for itself, here or when the transaction ends. Nothing was kept then: the same
    request, answered again, is a replay, or rests on what the client is now.
    """
    found, presented = await _look_up(uow, request)
    client = await authenticate_found(
        uow, found, request.credentials, provider, presentation.certificate
    )
    if isinstance(client, Refused):
        return client
    sender = await prove_sender(uow, provider, client, presentation)
    if isinstance(sender, Refused):
        return sender
    desk = _Desk(uow, client, provider, sender)
    match request, presented:
        case CodeRequest(), StoredCode() | None:
            return await desk.redeem(request, presented)
        case RefreshRequest(), PresentedToken() | None:
            return await desk.refresh(request, presented)
        case ClientRequest(), ResourceServer() | None:
            return await desk.serve_client(request, presented)
        case unexpected:
            raise TypeError(unexpected)


async def _look_up(
    uow: UnitOfWork, request: TokenRequest
) -> tuple[Client | None, StoredCode | PresentedToken | ResourceServer | None]:
    """Return the client that it claims to be, and what it presents or names; nothing is proven."""
    client_id = request.credentials.client_id
    match request:
        case CodeRequest(code=code):
            return await uow.presented.code(client_id, digest(code))
        case RefreshRequest(refresh_token=token):
            return await uow.presented.token(client_id, digest(token))
        case ClientRequest(resources=resources):
            resource = resources[0] if len(resources) == 1 else None
            return await uow.recalled.client(client_id, resource) or (None, None)
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


@dataclass(frozen=True, slots=True)
class _Order:
    """What is asked for, once it is decided that it may be given."""

    grant: Grant
    scope: str
    """All that was asked for; the access token holds what its resource understands."""
    access: AccessFacts
    nonce: str | None = None


class _Desk:
    """Serve one authenticated client in one transaction."""

    def __init__(
        self, uow: UnitOfWork, client: Client, provider: Provider, sender: Confirmation
    ) -> None:
        self._uow = uow
        self._client = client
        self._provider = provider
        self._sender = sender

    async def redeem(self, request: CodeRequest, code: StoredCode | None) -> Issued | Refused:
        decision = decide_redemption(
            request, self._client, code, sender=self._sender, now=self._uow.now
        )
        match decision:
            case TokensToIssue():
                return await self._issue(decision, request.resources)
            case Replayed(replayed):
                return await self._end_replayed(replayed)
            case Refused():
                return decision
            case unexpected:
                assert_never(unexpected)

    async def refresh(
        self, request: RefreshRequest, presented: PresentedToken | None
    ) -> Issued | Refused:
        decision = decide_refresh(
            request, self._client, presented, sender=self._sender, now=self._uow.now
        )
        match decision:
            case TokensToRotate():
                return await self._rotate(decision, request.resources)
            case TokensToRenew(renewed, scope):
                order = await self._order(renewed.grant, scope, request.resources)
                return order if isinstance(order, Refused) else await self._give(order)
            case Reused(reused):
                return await self._end_reused(reused.grant)
            case Refused():
                return decision
            case unexpected:
                assert_never(unexpected)

    async def serve_client(
        self, request: ClientRequest, named: ResourceServer | None
    ) -> Issued | Refused:
        """`named` is the one resource server that the request names, where there is such a one."""
        decision = decide_for_client(request, self._client)
        match decision:
            case TokenForClient(scope):
                grant_id = GrantId(new_id())
                grant = own_grant(
                    grant_id, self._client.id, scope, self._uow.now, resources=request.resources
                )
                order = await self._order(grant, scope, request.resources, named=named)
                if isinstance(order, Refused):
                    return order
                if not order.access.is_self_contained:
                    await self._uow.grants.add(grant)
                return await self._give(order)
            case Refused():
                return decision
            case unexpected:
                assert_never(unexpected)

    async def _order(
        self,
        grant: Grant,
        scope: str,
        resources: Sequence[str],
        *,
        nonce: str | None = None,
        named: ResourceServer | None = None,
    ) -> _Order | Refused:
        chosen = choose_resource(resources, grant.resources, self._provider.issuer)
        if isinstance(chosen, Refused):
            return chosen
        server = await self._target(chosen, named)
        if isinstance(server, Refused):
            return server
        refused = refuse_below(server, grant)
        if refused is not None:
            return refused
        narrowed = scope if server is None else narrow_scope(scope, server)
        if isinstance(narrowed, Refused):
            return narrowed
        access = AccessFacts(self._client, grant, narrowed, server, self._sender)
        return _Order(grant, scope, access, nonce)

    async def _target(
        self, chosen: str | None, named: ResourceServer | None
    ) -> ResourceServer | Refused | None:
        is_found = named is not None and named.id == chosen
        return named if is_found else await find_target(self._uow, chosen)

    async def _issue(self, decision: TokensToIssue, resources: Sequence[str]) -> Issued | Refused:
        code, now = decision.code, self._uow.now
        order = await self._order(code.grant, code.grant.scope, resources, nonce=code.grant.nonce)
        if isinstance(order, Refused):
            return order
        # Between our reading and this line another process may have used the code: the row decides.
        await self._uow.grants.win_code(code.digest, now)
        until = _refreshable_until(code.grant, now)
        refreshing = _Refreshing(code.grant.scope, until) if decision.with_refresh_token else None
        return await self._give(order, refreshing)

    async def _rotate(self, decision: TokensToRotate, resources: Sequence[str]) -> Issued | Refused:
        token, grant = decision.presented.token, decision.presented.grant
        # OIDC Core section 12.2: no nonce, there was no authentication request.
        order = await self._order(grant, decision.scope, resources)
        if isinstance(order, Refused):
            return order
        await self._uow.grants.win_token(token.digest, self._uow.now)
        # The new token is no wider and lives no longer than the old one: 30 days in all.
        refreshing = _Refreshing(token.scope, token.expires_at)
        return await self._give(order, refreshing)

    async def _give(self, order: _Order, refreshing: _Refreshing | None = None) -> Issued:
        grant, access = order.grant, order.access
        access_token = make_access_token(self._provider, access, now=self._uow.now)
        refresh_token = None if refreshing is None else new_secret()
        # A resident's JWT is kept as well, to end with her consent.
        kept = [] if access.is_self_contained else [self._access_token(access, access_token)]
        if refreshing is not None and refresh_token is not None:
            kept.append(self._refresh_token(grant, refreshing, refresh_token))
        if kept:
            await self._uow.grants.add_tokens(kept)
        await self._note_release(order)
        self._uow.record(TokensIssued(grant.account_id, grant.client_id, grant.id))
        lifetime = lifetime_of(access.server)
        return Issued(
            access_token,
            refresh_token,
            await self._id_token(order, access_token),
            int(lifetime.total_seconds()),
            access.scope,
            token_type(self._sender),
        )

    def _access_token(self, access: AccessFacts, secret: str) -> StoredToken:
        now, server = self._uow.now, access.server
        return StoredToken(
            digest(secret),
            access.grant.id,
            TokenKind.ACCESS,
            access.scope,
            now,
            now + lifetime_of(server),
            resource=None if server is None else server.id,
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

    async def _id_token(self, order: _Order, access_token: str) -> str | None:
        grant, scope = order.grant, order.scope
        # OIDC Core section 3.1.2.1: without `openid` it is plain OAuth.
        if grant.account_id is None or OPENID not in scope.split():
            return None
        facts = SignInFacts(
            self._client, grant, access_token, await self._asked_values(grant, scope), order.nonce
        )
        return make_id_token(self._provider, facts, now=self._uow.now)

    async def _asked_values(self, grant: Grant, scope: str) -> dict[str, Value]:
        names = grant.id_token_claims & released_claims(grant, scope)
        if not names or grant.account_id is None:
            return {}
        account = await self._uow.accounts.find(grant.account_id)
        return {} if account is None else values_of(account, names)

    async def _note_release(self, order: _Order) -> None:
        grant = order.grant
        if grant.account_id is None:
            return
        released = released_claims(grant, order.scope)
        if order.access.server is not None:
            # Such a token does not open /userinfo: what the ID token says is all.
            released &= grant.id_token_claims
        if released & frozenset(FURTHER):
            account = await self._uow.accounts.find(grant.account_id)
            # What was removed since the decision is received by nobody.
            held = frozenset[str]() if account is None else held_further(account.profile)
            released = only_held(released, held)
        for entry in releases(self._client, grant, released, self._uow.now):
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
