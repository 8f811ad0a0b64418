"""Checks of whose records a connector gives (6 and 7)."""

from citizen_account.connector_sdk.acceptance import AcceptanceTarget, Fault
from citizen_account.connector_sdk.checks.calls import (
    Question,
    answer_of,
    outcome_of,
    personal_questions,
    shown,
)
from citizen_account.connector_sdk.checks.require import is_a, require
from citizen_account.connector_sdk.errors import ConnectorError
from citizen_account.connector_sdk.models import (
    Answer,
    Case,
    Context,
    Entitlement,
    Erasure,
    Export,
)
from citizen_account.connector_sdk.protocol import CasesCapability


async def stranger_gets_nothing(target: AcceptanceTarget) -> None:
    """6: a subject that the source does not know gets an empty answer, not an error."""
    connector, stranger = target.connector(), target.stranger
    require(not await shown(connector, stranger), "a stranger is shown records")
    if (gdpr := connector.gdpr) is not None:
        asked = Question("export", Export, lambda: gdpr.export(stranger))
        export = is_a(Export, await answer_of(asked))
        require(not export.nodes, "a stranger's export is not empty")
        erase = Question("erase", Erasure, lambda: gdpr.erase(stranger, dry_run=True))
        await answer_of(erase)
    forgets = connector.link or connector.recognition
    if forgets is not None:
        try:
            await forgets.unlink(stranger)
        except ConnectorError as error:
            raise AssertionError(f"unlinking a stranger fails: {error!r}") from error


async def residents_stay_apart(target: AcceptanceTarget) -> None:
    """7: two residents never see each other's records."""
    if not target.residents:
        return
    connector = target.connector()
    first, second = two_residents(target)
    mine, others = await shown(connector, first), await shown(connector, second)
    require(mine, "the first resident of the target has no records: nothing is checked")
    require(others, "the second resident of the target has no records: nothing is checked")
    require(not {r.ref for r in mine} & {r.ref for r in others}, "two residents share a record")
    for records, owner in ((mine, first), (others, second)):
        strange = [record for record in records if record.subject != owner.subject]
        require(not strange, "a record names another owner than the one who asked")
    for case in others:
        if isinstance(case, Case):
            await _require_closed(connector.cases, first, case.ref)


async def _require_closed(cases: CasesCapability | None, context: Context, ref: str) -> None:
    if cases is None:
        return
    question = Question("get_case", Answer[Case], lambda: cases.get_case(context, ref))
    outcome = await outcome_of(question)
    if isinstance(outcome, Answer):
        own = [case for case in outcome.records if case.subject == context.subject]
        require(not own, "get_case opens somebody else's case")


async def lying_source_is_not_believed(target: AcceptanceTarget) -> None:
    """7: when the source gives somebody else's records, they are not passed on as one's own."""
    if not target.residents:
        return
    connector = target.connector()
    first, _ = two_residents(target)
    own = {record.ref for record in await shown(connector, first)}
    target.inject(Fault.OTHER_SUBJECT)
    try:
        passed_on = [
            record
            for question in personal_questions(connector, first)
            for record in _claimed(await outcome_of(question), first)
        ]
    finally:
        target.inject(Fault.NONE)
    foreign = [record for record in passed_on if record.ref not in own]
    require(not foreign, "somebody else's record is passed on as the resident's own")


def _claimed(outcome: object, context: Context) -> list[Case | Entitlement]:
    """Return what would be shown: the host drops an answer that names another owner."""
    if not isinstance(outcome, Answer) or outcome.subject != context.subject:
        return []
    if any(record.subject != context.subject for record in outcome.records):
        return []
    return list(outcome.records)


def two_residents(target: AcceptanceTarget) -> tuple[Context, Context]:
    require(len(target.residents) > 1, "the target needs two residents")
    first, second, *_ = target.residents
    return first, second
