"""What a source says is read tolerantly; what a connector says is checked strictly."""

import logging
from collections import deque
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from citizen_account.connector_host.bulkhead import Bulkhead, BusyError
from citizen_account.connector_host.redaction import WITHHELD, redact
from citizen_account.connector_sdk import errors
from citizen_account.connector_sdk.health import probe
from citizen_account.connector_sdk.manifest import Limits
from citizen_account.connector_sdk.models import (
    Answer,
    CallError,
    Case,
    CaseStatus,
    Condition,
    Entitlement,
    EntitlementState,
    Extras,
    Health,
    HealthReport,
    Money,
    Offer,
    Phase,
    Place,
    PlaceState,
    Queue,
    Step,
    StepState,
    in_language,
)
from citizen_account.connector_sdk.reading import Said, aware, read, read_each
from citizen_account.connector_sdk.wire import WireError, dump, load

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FLAT = Case(
    subject="S",
    ref="1",
    type="housing",
    title={"en": "A flat", "sk": "Byt"},
    reference="BYT-1",
    status=CaseStatus("new", "Nová", NOW),
    phase=Phase.ACTION_NEEDED,
    opened=date(2026, 1, 2),
    steps=(Step("Prijatá", StepState.DONE, NOW), Step("Ponuka", StepState.CURRENT)),
    url="https://city.example/1",
    extras=Extras(
        queue=Queue(position=4, of=187, as_of=NOW),
        offers=(
            Offer(
                ref="o", address="Vrbová 12", rent=Money(38450, "EUR"), answer_by=date(2026, 4, 1)
            ),
            Offer(ref="p", address="Vrbová 13", answer_by=NOW),
        ),
    ),
)
CARD = Entitlement(
    subject="S",
    ref="k",
    kind="resident-parking",
    title="Karta",
    state=EntitlementState.ACTIVE,
    credentials=("BA123XY",),
    valid_from=date(2026, 1, 1),
    valid_to=NOW,
    areas=({"en": "Zone", "sk": "Zóna"}, "DM1"),
)


def test_snapshot_comes_back_equal() -> None:
    cases = Answer((FLAT,), NOW, "Housing office", "S")
    cards = Answer((CARD,), NOW, "Parking office", "S", "next")
    assert load(dump(cases, Answer[Case]), Answer[Case]) == cases
    assert load(dump(cards, Answer[Entitlement]), Answer[Entitlement]) == cards


def test_snapshot_of_a_later_version_is_read() -> None:
    raw = dump(Money(1250, "EUR"), Money).replace(b"{", b'{"later":1,', 1)
    assert load(raw, Money) == Money(1250, "EUR")


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b'{"amount_minor":"x","currency":"EUR"}', b'{"currency":"EUR"}']
)
def test_snapshot_of_another_shape_is_refused_without_its_values(raw: bytes) -> None:
    with pytest.raises(WireError) as caught:
        load(raw, Money)
    assert "EUR" not in str(caught.value)


@pytest.mark.parametrize(("lat", "lon"), [(91, 0), (0, 181), (float("nan"), 0), (float("inf"), 0)])
def test_place_lies_in_the_world(lat: float, lon: float) -> None:
    with pytest.raises(CallError):
        Place(id="1", kind="x", name="x", lat=lat, lon=lon, state=PlaceState.UNKNOWN)


def test_time_of_an_answer_is_aware() -> None:
    with pytest.raises(CallError):
        Answer((), NOW.replace(tzinfo=None), "Office")


def test_text_is_shown_in_the_language_or_the_next_best() -> None:
    assert in_language({"en": "A", "sk": "B"}, "sk") == "B"
    assert in_language({"en": "A", "sk": "B"}, "uk") == "A"
    assert in_language({"nl": "C"}, "sk") == "C"
    assert in_language("D", "sk") == "D"


def test_report_is_as_bad_as_its_worst_part() -> None:
    assert HealthReport({}).condition is Condition.OK
    parts = {
        "a": Health(Condition.OK),
        "b": Health(Condition.DOWN),
        "c": Health(Condition.DEGRADED),
    }
    assert HealthReport(parts).condition is Condition.DOWN


# --- what a source says -------------------------------------------------------------------------


class Zaak(Said):
    identificatie: str
    startdatum: date | None = None


def test_unknown_members_pass() -> None:
    assert read(Zaak, {"identificatie": "1", "onbekend": {"a": 1}}).identificatie == "1"


def test_what_does_not_fit_is_unavailable_and_noted_without_its_value(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(errors.Unavailable) as caught:
        read(Zaak, {"identificatie": ["canary"], "startdatum": "canary"})
    assert "identificatie string_type" in str(caught.value)
    assert "connector_drift" in caplog.text
    assert "canary" not in caplog.text + str(caught.value) + repr(caught.value.__context__)


def test_some_records_that_do_not_fit_cost_themselves_only() -> None:
    found = read_each(Zaak, [{"identificatie": "1"}, {"identificatie": "2"}, {}])
    assert [one.identificatie for one in found] == ["1", "2"]


def test_mostly_another_shape_is_misconfigured() -> None:
    with pytest.raises(errors.Misconfigured):
        read_each(Zaak, [{"identificatie": "1"}, {}, {}])


@pytest.mark.parametrize("value", [None, {}, "text", 7])
def test_no_list_is_unavailable(value: object) -> None:
    with pytest.raises(errors.Unavailable):
        read_each(Zaak, value)  # type: ignore[arg-type]  # what a source may say


def test_double_hour_of_autumn_is_the_earlier_one() -> None:
    zone = ZoneInfo("Europe/Bratislava")
    doubled = aware(datetime(2026, 10, 25, 2, 30), zone)  # noqa: DTZ001  # the source named no zone
    assert doubled.astimezone(UTC) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert aware(NOW, zone) is NOW


@pytest.mark.parametrize(
    ("error", "condition"),
    [
        (None, Condition.OK),
        (errors.Misconfigured("x"), Condition.MISCONFIGURED),
        (errors.Gone(), Condition.MISCONFIGURED),
        (errors.RateLimited(1), Condition.DEGRADED),
        (errors.Unavailable("x"), Condition.DOWN),
        (errors.OutcomeUnknown("x"), Condition.DOWN),
    ],
)
async def test_trial_call_says_how_a_source_is(
    error: errors.ConnectorError | None, condition: Condition
) -> None:
    async def call() -> None:
        if error is not None:
            raise error

    assert (await probe(call())).condition is condition


# --- what is written ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "private",
    [
        "jana@example.org", "Bearer abc.def", "Basic QWxhZGRpbg==", "eyJhbGciOiJIUzI1NiJ9.eyJ.x-_",
        "https://x.example/a?subject=ABC", "ABCDEFGH23456722", "abcdefgh23456722",
        "+421 900 123 456", "0900123456", "855514/1234",
    ],
)  # fmt: skip
def test_what_looks_personal_is_withheld(private: str) -> None:
    said = redact(f"asked with {private} and failed")
    assert WITHHELD in said
    assert private.partition("?")[2] not in said or "?" not in private
    assert private not in said
    assert said.startswith("asked with")


def test_withheld_values_go_and_plain_words_stay() -> None:
    assert redact("Zuzana got 503", {"Zuzana", "sk"}) == f"{WITHHELD} got 503"
    plain = "the source answered 503: is base_url right?"
    assert redact(plain) == plain
    assert len(redact("x" * 10_000)) == 300


async def test_rate_frees_itself_with_time() -> None:
    seconds = deque([0.0, 1.0, 2.0, 61.0])
    bulkhead = Bulkhead(Limits(rate="2/min"), seconds.popleft)
    for _ in range(2):
        async with bulkhead.place(1):
            pass
    with pytest.raises(BusyError) as caught:
        async with bulkhead.place(1):
            pass
    assert caught.value.retry_after == 58.0
    async with bulkhead.place(1):
        pass
