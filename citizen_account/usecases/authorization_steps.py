"""Take one step of an authorization: decide by what is known, and give the code."""

from datetime import datetime

from citizen_account.domain.accounts import SessionId
from citizen_account.domain.claims import held_further
from citizen_account.domain.clients import Client
from citizen_account.domain.consents import Consent, Decision, DecisionKind
from citizen_account.domain.grants import Grant, GrantId
from citizen_account.openid.authorization import AuthorizationRequest, RefusedToClient
from citizen_account.openid.authorization_response import (
    ClientAnswer,
    answer_with_code,
    answer_with_error,
)
from citizen_account.openid.id_token import read_hint
from citizen_account.openid.interaction import (
    Release,
    Step,
    UnreadableHintError,
    Visit,
    decide_step,
    refuse_ended,
)
from citizen_account.openid.provider import Provider
from citizen_account.openid.sender import JKT
from citizen_account.openid.subjects import subject_of
from citizen_account.security.tokens import new_id
from citizen_account.storage.unit_of_work import UnitOfWork
from citizen_account.usecases.interactions import Caller
from citizen_account.usecases.tokens import issue_code


class Desk:
    """Serve one authorization request of one browser in one transaction."""

    def __init__(
        self,
        uow: UnitOfWork,
        provider: Provider,
        client: Client,
        request: AuthorizationRequest,
        caller: Caller,
    ) -> None:
        self.uow = uow
        self.provider = provider
        self.client = client
        self._request = request
        self._caller = caller

    async def standing_consent(self) -> Consent | None:
        session = self._caller.session
        if session is None:
            return None
        return await self.uow.consents.find_standing(session.account_id, self.client.id)

    async def next_step(
        self,
        started_at: datetime,
        first_session: SessionId | None,
        consent: Consent | None,
        *,
        was_asked: bool = False,
    ) -> Step:
        """Decide by what is known now; `consent` is the standing one."""
        session = self._caller.session
        try:
            hinted = self._hinted_subject()
        except UnreadableHintError as error:
            return RefusedToClient(self._request.target, error)
        visit = Visit(
            session=session,
            subject=None if session is None else self._subject(),
            hinted_subject=hinted,
            consent=consent,
            started_at=started_at,
            first_session=first_session,
            was_asked=was_asked,
            held=self._held(),
        )
        return decide_step(self._request, self.client, visit, self.uow.now)

    async def release_on_standing_consent(self, release: Release) -> ClientAnswer:
        """Give a code without a question, and write down why none was needed."""
        consent = release.consent
        decision = Decision(
            id=new_id(),
            account_id=consent.account_id,
            client_id=self.client.id,
            consent_id=consent.id,
            kind=DecisionKind.STANDING,
            scopes=frozenset(release.scope),
            claims=release.claims,
            refused=consent.refused,
            text_digest=consent.text_digest,
            text_language=consent.text_language,
            at=self.uow.now,
        )
        await self.uow.consents.add_decision(decision)
        return await self.release(release)

    async def release(self, release: Release, *, is_given_now: bool = False) -> ClientAnswer:
        """Give a code. A consent or a session that has just ended gives none."""
        now, session = self.uow.now, release.session
        # The rows have the last word, and hold back whoever would end them until we are done. One
        # that this very transaction adds is seen by nobody yet.
        is_standing = is_given_now or await self.uow.consents.use(release.consent.id, now)
        if not is_standing or not await self.uow.client_sessions.hold(session.id):
            ended = refuse_ended(self._request)
            return answer_with_error(ended.target, ended.error, self.provider, now=now)
        await self.uow.client_sessions.record(session.id, self.client.id, session.account_id, now)
        code = await issue_code(
            self.uow,
            self._grant(release),
            self._request.target.redirect_uri,
            self._request.code_challenge,
        )
        return answer_with_code(self._request.target, code, self.provider, now=now)

    def _grant(self, release: Release) -> Grant:
        session = release.session
        return Grant(
            id=GrantId(new_id()),
            client_id=self.client.id,
            account_id=session.account_id,
            session_id=session.id,
            consent_id=release.consent.id,
            scope=" ".join(release.scope),
            claims=release.claims,
            nonce=self._request.nonce,
            authenticated_at=session.authenticated_at,
            methods=session.methods,
            level=release.level,
            is_offline="offline_access" in release.scope,
            created_at=self.uow.now,
            id_token_claims=release.id_token_claims,
            session_ends_at=session.expires_at,
            resources=self._request.resources,
            confirmation=None if self._request.dpop_jkt is None else {JKT: self._request.dpop_jkt},
        )

    def _held(self) -> frozenset[str]:
        account = self._caller.account
        return frozenset() if account is None else held_further(account.profile)

    def _subject(self) -> str | None:
        session = self._caller.session
        if session is None:
            return None
        return subject_of(session.account_id, self.client, self.provider.pairwise_key)

    def _hinted_subject(self) -> str | None:
        token = self._request.id_token_hint
        if token is None:
            return None
        hint = read_hint(token, self.provider.keys, self.provider.issuer)
        # OIDC Core section 3.1.2.1: issued by us. Pairwise subjects of another client say nothing.
        if hint is None or hint.client_id != self.client.id:
            raise UnreadableHintError
        return hint.subject
