"""Let a resident answer what a service asks for, see what she allowed, and withdraw it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from citizen_account.domain.accounts import AccountId, Session
from citizen_account.domain.asking import Answer, answer
from citizen_account.domain.clients import Client, ClientId
from citizen_account.domain.consents import (
    AlreadyWithdrawn,
    Consent,
    ConsentEnd,
    ConsentId,
    Decision,
    DecisionKind,
    Notice,
    Withdrawal,
    Withdrawn,
    decide_withdrawal,
)
from citizen_account.domain.events import (
    ConsentGiven,
    ConsentNarrowed,
    ConsentRefused,
    ConsentWithdrawn,
)
from citizen_account.domain.grants import GrantEnd
from citizen_account.openid.authorization_response import answer_with_error
from citizen_account.openid.interaction import Release, refuse_denied, refuse_ended
from citizen_account.openid.provider import Provider
from citizen_account.security.tokens import new_id
from citizen_account.storage.unit_of_work import UnitOfWork
from citizen_account.usecases.authorization import AlreadyDecided, Outcome, Question, refuse
from citizen_account.usecases.authorization_steps import Desk
from citizen_account.usecases.interactions import Caller
from citizen_account.usecases.requested import decide_interaction


@dataclass(frozen=True, slots=True)
class Access:
    """A service that may see a resident's data, and by what decision."""

    consent: Consent
    client: Client


async def allow(  # noqa: PLR0913  # a decision: who, about what, which parts, by which text
    uow: UnitOfWork,
    provider: Provider,
    question: Question,
    session: Session,
    caller: Caller,
    *,
    chosen: frozenset[str],
    notice: Notice,
) -> Outcome:
    """Keep the resident's yes and give the code. One decision for each request, however often."""
    if not await decide_interaction(uow, question.interaction):
        return AlreadyDecided(question.client)
    await uow.consents.hold(session.account_id)
    client = question.client
    standing = await uow.consents.find_standing(session.account_id, client.id)
    allowed = answer(question.ask.asking, chosen, standing)
    await uow.consents.keep_notice(notice, uow.now)
    consent = await _keep(
        uow, question, session.account_id, standing=standing, allowed=allowed, notice=notice
    )
    await uow.consents.add_decision(_decision(uow, DecisionKind.ALLOWED, consent, notice))
    uow.record(ConsentGiven(session.account_id, client.id, consent.id))
    desk = Desk(uow, provider, client, question.request, caller)
    started = question.interaction
    step = await desk.next_step(started.created_at, started.first_session, consent, was_asked=True)
    if isinstance(step, Release):
        return await desk.release(step, is_given_now=True)
    refusal = refuse_ended(question.request)
    return answer_with_error(refusal.target, refusal.error, provider, now=uow.now)


async def deny(
    uow: UnitOfWork, provider: Provider, question: Question, session: Session
) -> Outcome:
    """Keep the resident's no and tell the client (RFC 6749 section 4.1.2.1)."""
    refusal = refuse_denied(question.request)
    outcome = await refuse(uow, provider, question.interaction, question.client, refusal)
    if isinstance(outcome, AlreadyDecided):
        return outcome
    asked = question.ask.asking.request
    await uow.consents.add_decision(
        Decision(
            id=new_id(),
            account_id=session.account_id,
            client_id=question.client.id,
            consent_id=None,
            kind=DecisionKind.DENIED,
            scopes=asked.scopes,
            claims=frozenset(),
            refused=asked.claims,
            text_digest="",
            text_language="",
            at=uow.now,
        )
    )
    uow.record(ConsentRefused(session.account_id, question.client.id))
    return outcome


async def list_access(uow: UnitOfWork, account_id: AccountId) -> Sequence[Access]:
    """Return every service with access, the newest first."""
    consents = await uow.consents.list_standing(account_id)
    clients = await uow.clients.find_some([consent.client_id for consent in consents])
    return [Access(consent, clients[consent.client_id]) for consent in consents]


async def find_access(uow: UnitOfWork, account_id: AccountId, consent_id: ConsentId) -> Access:
    """Return one of the resident's own, ended or not. Raises: consent_unknown."""
    consent = decide_withdrawal(await uow.consents.find(consent_id), asked_by=account_id).consent
    clients = await uow.clients.find_some([consent.client_id])
    return Access(consent, clients[consent.client_id])


async def withdraw_consent(
    uow: UnitOfWork,
    account_id: AccountId,
    consent_id: ConsentId,
    how: ConsentEnd = ConsentEnd.WITHDRAWN,
) -> Withdrawal:
    """Withdraw, and end at once every token that rests on it. Idempotent.

    Raises: consent_unknown.
    """
    consent = await uow.consents.find(consent_id)
    withdrawal = decide_withdrawal(consent, asked_by=account_id)
    match withdrawal:
        case Withdrawn():
            return await _end(uow, withdrawal, how)
        case AlreadyWithdrawn():
            return withdrawal
        case unexpected:
            assert_never(unexpected)


async def _end(uow: UnitOfWork, withdrawal: Withdrawn, how: ConsentEnd) -> Withdrawal:
    consent = withdrawal.consent
    client_id = ClientId(consent.client_id)
    # The row first: whoever is just giving a code on this consent is waited for.
    if not await uow.consents.end(consent.id, how, uow.now):
        return AlreadyWithdrawn(consent)
    await _end_grants(uow, consent.account_id, client_id)
    await uow.client_sessions.end_of_client(consent.account_id, client_id, uow.now)
    uow.record(ConsentWithdrawn(consent.account_id, client_id, consent.id, how))
    return withdrawal


async def _end_grants(uow: UnitOfWork, account_id: AccountId, client_id: ClientId) -> None:
    """End what was given on this consent and on those it replaced."""
    for consent_id in await uow.consents.ids_of(account_id, client_id):
        await uow.grants.end_of_consent(consent_id, GrantEnd.CONSENT_WITHDRAWN, uow.now)


async def _keep(  # noqa: PLR0913  # what a consent consists of
    uow: UnitOfWork,
    question: Question,
    account_id: AccountId,
    *,
    standing: Consent | None,
    allowed: Answer,
    notice: Notice,
) -> Consent:
    if standing is not None:
        await uow.consents.end(standing.id, ConsentEnd.REPLACED, uow.now)
        if not standing.claims <= allowed.claims:
            # She took a claim back: what was given with it ends.
            await _end_grants(uow, account_id, question.client.id)
            uow.record(ConsentNarrowed(account_id, question.client.id, standing.id))
    consent = Consent(
        id=ConsentId(new_id()),
        account_id=account_id,
        client_id=question.client.id,
        scopes=allowed.scopes,
        claims=allowed.claims,
        refused=allowed.refused,
        purposes=allowed.purposes,
        basis=question.ask.asking.basis,
        text_digest=notice.digest,
        text_language=notice.language,
        given_at=uow.now,
        last_used_at=uow.now,
        ended_at=None,
        ended_by=None,
    )
    await uow.consents.add(consent)
    return consent


def _decision(uow: UnitOfWork, kind: DecisionKind, consent: Consent, notice: Notice) -> Decision:
    return Decision(
        id=new_id(),
        account_id=consent.account_id,
        client_id=consent.client_id,
        consent_id=consent.id,
        kind=kind,
        scopes=consent.scopes,
        claims=consent.claims,
        refused=consent.refused,
        text_digest=notice.digest,
        text_language=notice.language,
        at=uow.now,
    )
