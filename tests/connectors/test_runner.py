"""A connector that is broken, slow or hostile costs its own card and nothing else."""

import asyncio
import logging
from dataclasses import replace
from time import monotonic

import pytest

from citizen_account.connector_host.outcomes import Failed, Fetched, Reason
from citizen_account.connector_host.registry import Installed
from citizen_account.connector_sdk import errors
from citizen_account.connector_sdk.models import Answer, Case, Context
from citizen_account.domain.transactions import NetworkInTransactionError
from citizen_account.storage.unit_of_work import Database
from citizen_account.telemetry import JsonLines
from tests.connectors.offices import (
    CONTEXT,
    EXAMPLE,
    MANIFEST,
    SUBJECT,
    Connect,
    Office,
    answer,
    case,
    connector_of,
    failed,
    raising,
)
from tests.factories import Clock

# What happens around a call does not depend on the database; `test_breaker` has both.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def connect(database: Database, clock: Clock) -> Connect:
    return Connect(database, clock)


# --- good times ---------------------------------------------------------------------------------


async def test_answer_comes_back_whole(connect: Connect) -> None:
    outcome = await connect(Office()).list_cases(EXAMPLE, CONTEXT)
    assert outcome == Fetched(answer())


async def test_connector_is_told_only_claims_of_its_manifest(connect: Connect) -> None:
    office = Office()
    await connect(office).list_cases(EXAMPLE, CONTEXT)
    assert office.told[0].claims == {"given_name": "Zuzana"}
    assert 0 < office.told[0].deadline_seconds <= 5


async def test_all_pages_are_fetched(connect: Connect) -> None:
    pages = {None: answer(case("a"), cursor="2"), "2": answer(case("b"), cursor="3")}

    async def ask(_: Context, cursor: str | None) -> Answer[Case]:
        return pages.get(cursor, answer(case("c")))

    outcome = await connect(Office(ask)).list_cases(EXAMPLE, CONTEXT)
    assert isinstance(outcome, Fetched)
    assert [one.ref for one in outcome.answer.records] == ["a", "b", "c"]


# --- bad times ----------------------------------------------------------------------------------

RAISED: list[tuple[BaseException, Reason]] = [
    (errors.Unavailable("away"), Reason.UNAVAILABLE),
    (errors.RateLimited(40), Reason.RATE_LIMITED),
    (errors.OutcomeUnknown("POST"), Reason.OUTCOME_UNKNOWN),
    (errors.Refused("closed", {"en": "Closed", "sk": "Zatvorené"}), Reason.REFUSED),
    (errors.NeedsRelink("expired"), Reason.NEEDS_RELINK),
    (errors.Gone(), Reason.GONE),
    (errors.Misconfigured("401"), Reason.MISCONFIGURED),
    (errors.ConnectorError("of no kind"), Reason.BROKEN),
    (ValueError("a bug"), Reason.BROKEN),
    (TypeError(), Reason.BROKEN),
    (RecursionError(), Reason.BROKEN),
    (MemoryError(), Reason.BROKEN),
    (SystemExit(1), Reason.BROKEN),
    (KeyboardInterrupt(), Reason.BROKEN),
    (GeneratorExit(), Reason.BROKEN),
    (BaseExceptionGroup("several", [SystemExit(1)]), Reason.BROKEN),
]


@pytest.mark.parametrize(("error", "reason"), RAISED, ids=[type(e).__name__ for e, _ in RAISED])
async def test_whatever_a_connector_raises_is_an_outcome(
    connect: Connect, error: BaseException, reason: Reason
) -> None:
    outcome = failed(await connect(Office(raising(error))).list_cases(EXAMPLE, CONTEXT))
    assert outcome.reason is reason


async def test_cancelling_itself_is_an_outcome(connect: Connect) -> None:
    async def ask(_: Context, __: str | None) -> Answer[Case]:
        current = asyncio.current_task()
        assert current is not None
        current.cancel()
        await asyncio.sleep(1)
        return answer()

    assert failed(await connect(Office(ask)).list_cases(EXAMPLE, CONTEXT)).reason is Reason.BROKEN


HOSTILE_ERRORS = [
    errors.Unavailable("x", retry_after="soon"),  # type: ignore[arg-type]  # hostile
    errors.Unavailable("x", retry_after=float("nan")),
    errors.Unavailable("x", retry_after=float("inf")),
    errors.Unavailable("x", retry_after=-5),
    errors.RateLimited(float("inf")),
    errors.Refused("why", 7),  # type: ignore[arg-type]  # hostile
    errors.Refused("why", {"en": None}, {"field": "x"}),  # type: ignore[dict-item]  # hostile
]


@pytest.mark.parametrize("error", HOSTILE_ERRORS)
async def test_parts_of_an_error_are_what_their_types_promise(
    connect: Connect, error: errors.ConnectorError
) -> None:
    outcome = failed(await connect(Office(raising(error))).list_cases(EXAMPLE, CONTEXT))
    assert outcome.retry_after is None or 0 <= outcome.retry_after <= 3600
    if outcome.refusal is not None:
        assert isinstance(outcome.refusal.text, str | dict)


class Nothing:
    pass


STRANGE: list[object] = [
    None,
    [],
    "an answer",
    Nothing(),
    answer(replace(case(), phase="strange")),  # type: ignore[arg-type]  # strange
    answer(replace(case(), opened="yesterday")),  # type: ignore[arg-type]  # strange
    answer(replace(case(), title=Nothing())),  # type: ignore[arg-type]  # strange
    replace(answer(), records=[7]),  # type: ignore[arg-type]  # strange
    replace(answer(), source=7),  # type: ignore[arg-type]  # strange
]


@pytest.mark.parametrize("strange", STRANGE, ids=range(len(STRANGE)))
async def test_answer_of_another_shape_is_dropped(connect: Connect, strange: object) -> None:
    async def ask(_: Context, __: str | None) -> Answer[Case]:
        return strange  # type: ignore[return-value]  # strange

    assert failed(await connect(Office(ask)).list_cases(EXAMPLE, CONTEXT)).reason is Reason.BROKEN


async def test_link_of_a_case_leads_to_a_web_page_or_nowhere(connect: Connect) -> None:
    async def ask(_: Context, __: str | None) -> Answer[Case]:
        leading = case()
        object.__setattr__(leading, "url", "javascript:alert(1)")
        return answer(leading)

    assert failed(await connect(Office(ask)).list_cases(EXAMPLE, CONTEXT)).reason is Reason.BROKEN


async def test_pages_without_end_stop(connect: Connect) -> None:
    async def loop(_: Context, __: str | None) -> Answer[Case]:
        return answer(cursor="again")

    async def counting(_: Context, cursor: str | None) -> Answer[Case]:
        return answer(cursor=str(int(cursor or 0) + 1))

    for ask in (loop, counting):
        outcome = failed(await connect(Office(ask)).list_cases(EXAMPLE, CONTEXT))
        assert outcome.reason in {Reason.UNAVAILABLE, Reason.PAUSED}


# --- time ---------------------------------------------------------------------------------------


async def test_slow_source_is_given_up_in_time(connect: Connect) -> None:
    async def ask(_: Context, __: str | None) -> Answer[Case]:
        await asyncio.sleep(30)
        return answer()

    began = monotonic()
    outcome = failed(await connect(Office(ask), timeout=0.05).list_cases(EXAMPLE, CONTEXT))
    assert outcome.reason is Reason.UNAVAILABLE
    assert monotonic() - began < 2


async def test_connector_that_will_not_stop_is_left_behind(connect: Connect) -> None:
    release = asyncio.Event()

    async def ask(_: Context, __: str | None) -> Answer[Case]:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue
        return answer()

    connectors = connect(Office(ask), timeout=0.05)
    began = monotonic()
    outcome = failed(await connectors.get_case(EXAMPLE, CONTEXT, "a17"))
    assert outcome.reason is Reason.UNAVAILABLE
    assert monotonic() - began < 5
    release.set()
    await asyncio.sleep(0.01)


async def test_unavailable_read_is_tried_again(connect: Connect) -> None:
    office = Office()

    async def ask(_: Context, __: str | None) -> Answer[Case]:
        if office.calls < 3:
            raise errors.Unavailable("away")
        return answer()

    office = Office(ask)
    assert isinstance(await connect(office).list_cases(EXAMPLE, CONTEXT), Fetched)
    assert office.calls == 3


async def test_link_by_letter_is_sent_once(connect: Connect) -> None:
    office = Office(raising(errors.Unavailable("away")))
    outcome = await connect(office).link(EXAMPLE, CONTEXT, "2026/0017", "a secret")
    assert isinstance(outcome, Failed)
    assert office.calls == 1


@pytest.mark.parametrize(
    "error", [errors.RateLimited(40), errors.Misconfigured("x"), errors.Gone(), ValueError()]
)
async def test_only_unavailable_is_tried_again(connect: Connect, error: Exception) -> None:
    office = Office(raising(error))
    await connect(office).list_cases(EXAMPLE, CONTEXT)
    assert office.calls == 1


async def test_retry_after_beyond_the_budget_ends_the_tries(connect: Connect) -> None:
    office = Office(raising(errors.Unavailable("away", retry_after=600)))
    outcome = failed(await connect(office).list_cases(EXAMPLE, CONTEXT))
    assert (office.calls, outcome.retry_after) == (1, 600)


async def test_retry_after_within_the_budget_is_waited_for(connect: Connect) -> None:
    times: list[float] = []

    async def ask(_: Context, __: str | None) -> Answer[Case]:
        times.append(monotonic())
        if len(times) == 1:
            raise errors.Unavailable("away", retry_after=0.2)
        return answer()

    assert isinstance(await connect(Office(ask)).list_cases(EXAMPLE, CONTEXT), Fetched)
    assert times[1] - times[0] >= 0.2


# --- many at once -------------------------------------------------------------------------------


async def test_no_more_calls_at_once_than_the_manifest_says(connect: Connect) -> None:
    running, most = 0, 0

    async def ask(_: Context, __: str | None) -> Answer[Case]:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.02)
        running -= 1
        return answer()

    connectors = connect(Office(ask), concurrency=2)
    await asyncio.gather(*(connectors.list_cases(EXAMPLE, CONTEXT) for _ in range(6)))
    assert most == 2


# --- the rest -----------------------------------------------------------------------------------


async def test_open_transaction_forbids_the_call(connect: Connect, database: Database) -> None:
    async with database.read():
        with pytest.raises(NetworkInTransactionError):
            await connect(Office()).list_cases(EXAMPLE, CONTEXT)


async def test_what_is_not_offered_is_not_called(connect: Connect) -> None:
    connectors = connect(Office())
    for outcome in (
        await connectors.list_cases("unknown", CONTEXT),
        await connectors.entitlements(EXAMPLE, CONTEXT),
        await connectors.places_near(EXAMPLE, (48.1, 17.1), 500),
        await connectors.check("unknown"),
    ):
        assert isinstance(outcome, Failed)
        assert outcome.reason is Reason.NOT_OFFERED


async def test_nothing_personal_is_logged(
    connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    private = f"Zuzana {SUBJECT} z@city.example a-secret-setting +421 900 123 456"
    await connect(Office(raising(errors.Unavailable(private)))).list_cases(EXAMPLE, CONTEXT)
    await connect(Office(raising(ValueError(private)))).list_cases(EXAMPLE, CONTEXT)
    told = " ".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    assert "connector_failed" in told
    for value in ("Zuzana", SUBJECT, "z@city.example", "a-secret-setting", "900 123"):
        assert value not in told


async def test_what_a_connector_logs_itself_is_withheld(connect: Connect) -> None:
    lines: list[str] = []

    class Listening(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(JsonLines().format(record))

    talkative = logging.getLogger("a.talkative.connector")

    async def ask(_: Context, __: str | None) -> Answer[Case]:
        talkative.warning("asked for %s by %s", SUBJECT, "Zuzana")
        return answer()

    talkative.addHandler(listening := Listening())
    try:
        await connect(Office(ask)).list_cases(EXAMPLE, CONTEXT)
    finally:
        talkative.removeHandler(listening)
    assert len(lines) == 1
    assert SUBJECT not in lines[0]
    assert "Zuzana" not in lines[0]


async def test_broken_connector_leaves_others_alone(connect: Connect) -> None:
    offices = {"good": Office(), "bad": Office(raising(SystemExit(1)))}
    connectors = connect.installed(
        {name: Installed(MANIFEST, connector_of(office)) for name, office in offices.items()}
    )
    outcomes = await asyncio.gather(
        *(connectors.list_cases(name, CONTEXT) for name in ("bad", "good", "bad", "good"))
    )
    assert [isinstance(one, Fetched) for one in outcomes] == [False, True, False, True]
