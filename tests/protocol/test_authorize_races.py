"""RFC 9700 section 4: many at once get one decision, and none survives what ends it."""

import asyncio
from http import HTTPStatus

import httpx2
import pytest

from citizen_account.bootstrap import Runtime
from citizen_account.domain.accounts import AccountId
from citizen_account.usecases.consents import list_access, withdraw_consent
from citizen_account.usecases.logout import end_session
from tests.authorizing import address, allow, answer_in, sign_in
from tests.pages import Visitor
from tests.relying_party import Party

CLICKS = 16


@pytest.fixture
async def resident(runtime: Runtime, library: Party, reader: AccountId) -> AccountId:
    """Return a resident whose browser is signed in."""
    await sign_in(runtime, library.http, reader)
    return reader


def decision_of(visitor: Visitor) -> dict[str, str]:
    form = visitor.find("#allow").within("form")
    assert form is not None
    hidden = [field for field in form.find("input") if field.attributes["type"] == "hidden"]
    fields = {field.attributes["name"]: field.attributes["value"] for field in hidden}
    return {**fields, "decision": "allow"}


async def click(visitor: Visitor, sent: dict[str, str]) -> httpx2.Response:
    return await visitor.http.post("/sk/consent", data=sent)


async def test_one_decision_clicked_many_times_gives_one_code(
    resident: AccountId, visitor: Visitor, library: Party
) -> None:
    assert resident
    await visitor.open(address())
    sent = decision_of(visitor)
    answers = await asyncio.gather(*(click(visitor, sent) for _ in range(CLICKS)))
    given = [answer for answer in answers if answer.status_code == HTTPStatus.SEE_OTHER]
    assert len(given) == 1
    assert {answer.status_code for answer in answers} == {HTTPStatus.CONFLICT, HTTPStatus.SEE_OTHER}
    code = answer_in(given[0].headers["location"])["code"]
    assert (await library.redeem(code)).status_code == HTTPStatus.OK


async def test_decisions_of_many_tabs_leave_one_consent(
    resident: AccountId, visitor: Visitor, runtime: Runtime
) -> None:
    sent = []
    for _ in range(4):
        await visitor.open(address({"prompt": "consent"}))
        sent.append(decision_of(visitor))
    answers = await asyncio.gather(*(click(visitor, fields) for fields in sent))
    assert [answer.status_code for answer in answers] == [HTTPStatus.SEE_OTHER] * 4
    async with runtime.database.read() as uow:
        assert len(await list_access(uow, resident)) == 1


async def test_code_never_survives_a_withdrawal_at_the_same_time(
    resident: AccountId, visitor: Visitor, library: Party, runtime: Runtime
) -> None:
    for _ in range(5):
        await allow(visitor)

        async def withdraw() -> None:
            async with runtime.database.begin() as uow:
                [access] = await list_access(uow, resident)
                await withdraw_consent(uow, resident, access.consent.id)

        asked = [library.http.get(address({"prompt": "none"})) for _ in range(4)]
        ending = asyncio.create_task(withdraw())
        answers = await asyncio.gather(*asked)
        await ending
        for answer in answers:
            received = answer_in(answer.headers["location"])
            if "code" in received:
                refused = await library.redeem(received["code"])
                assert refused.json()["error"] == "invalid_grant"


async def test_code_never_survives_a_sign_out_at_the_same_time(
    resident: AccountId, visitor: Visitor, library: Party, runtime: Runtime
) -> None:
    await allow(visitor)
    for _ in range(5):
        session = await sign_in(runtime, library.http, resident)

        async def leave() -> None:
            async with runtime.database.begin() as uow:
                await end_session(uow, session)  # noqa: B023  # awaited in this round

        asked = [library.http.get(address({"prompt": "none"})) for _ in range(4)]
        ending = asyncio.create_task(leave())
        answers = await asyncio.gather(*asked)
        await ending
        for answer in answers:
            received = answer_in(answer.headers["location"])
            if "code" in received:
                refused = await library.redeem(received["code"])
                assert refused.json()["error"] == "invalid_grant"
