"""What a source says wrongly costs only itself, and its clock is believed within reason."""

import logging
from datetime import UTC, date, datetime

import httpx2
import pytest
from pydantic import Field

from citizen_account.connector_sdk.errors import Misconfigured
from citizen_account.connector_sdk.http import ConnectorHttp, Reply
from citizen_account.connector_sdk.lenient import Maybe, said_at
from citizen_account.connector_sdk.letter_desk import LetterDesk
from citizen_account.connector_sdk.models import Context
from citizen_account.connector_sdk.reading import Json, Said, read

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Zaak(Said):
    ended: Maybe[date] = Field(default=None, alias="einddatum")


@pytest.mark.parametrize("said", [None, "soon", [], {}, True, "2026-13-01"])
def test_a_member_that_does_not_fit_is_absent(said: Json) -> None:
    assert read(Zaak, {"einddatum": said}).ended is None
    assert read(Zaak, {}).ended is None


def test_a_member_that_fits_is_read() -> None:
    assert read(Zaak, {"einddatum": "2026-03-01"}).ended == date(2026, 3, 1)


def test_the_note_names_the_kind_of_fault_and_not_the_value(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    read(Zaak, {"einddatum": "Jana Kováčová"})
    assert "connector_drift ended" in caplog.text
    assert "Jana" not in caplog.text


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Sun, 01 Mar 2026 11:59:00 GMT", datetime(2026, 3, 1, 11, 59, tzinfo=UTC)),
        ("Sun, 01 Mar 2026 11:59:00 -0000", datetime(2026, 3, 1, 11, 59, tzinfo=UTC)),
        ("Mon, 01 Mar 2027 12:00:00 GMT", NOW),
        ("yesterday", NOW),
        ("", NOW),
    ],
)
def test_the_time_of_an_answer_is_the_sources(header: str, expected: datetime) -> None:
    assert said_at(Reply(200, {"Date": header}, None), NOW) == expected


@pytest.mark.parametrize(
    ("status", "body"), [(403, b"{}"), (409, b'{"code": "odd"}'), (200, b"{}")]
)
async def test_a_desk_that_gives_no_reason_is_misconfigured(status: int, body: bytes) -> None:
    transport = httpx2.MockTransport(lambda _: httpx2.Response(status, content=body))
    desk = LetterDesk(ConnectorHttp("http://desk.example/", transport))
    with pytest.raises(Misconfigured):
        await desk.link(Context("a" * 16), "MAG-1", "secret")


async def test_unlinking_at_a_desk_that_knows_nobody_is_fine() -> None:
    transport = httpx2.MockTransport(lambda _: httpx2.Response(404))
    await LetterDesk(ConnectorHttp("http://desk.example/", transport)).unlink(Context("a" * 16))
