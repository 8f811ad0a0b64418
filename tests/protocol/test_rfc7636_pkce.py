"""RFC 7636: proof key for code exchange."""

import pytest

from citizen_account.bootstrap import Runtime
from tests.factories import CHALLENGE, VERIFIER
from tests.relying_party import Party
from tests.services import authorize


@pytest.mark.parametrize("verifier", [None, CHALLENGE, "A" * 43, "A" * 42, "A" * 129, "A+" * 30])
async def test_4_6_wrong_verifier_is_refused(
    runtime: Runtime, library: Party, verifier: str | None
) -> None:
    answer = await library.redeem(await authorize(runtime), {"code_verifier": verifier})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


async def test_7_2_plain_challenge_opens_nothing(runtime: Runtime, library: Party) -> None:
    code = await authorize(runtime, code_challenge=VERIFIER)
    answer = await library.redeem(code)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


async def test_rfc_9700_4_8_2_verifier_without_challenge_is_a_downgrade(
    runtime: Runtime, library: Party
) -> None:
    code = await authorize(runtime, code_challenge=None)
    answer = await library.redeem(code)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert (await library.redeem(code, {"code_verifier": None})).status_code == 200
