"""oidcc-formpost-basic: what is answered in silence, or was posted, comes as a form as well."""

from datetime import timedelta

import pytest

from tests.authorizing import Fields, address, form_in, request_fields
from tests.factories import ISSUER, Clock
from tests.pages import Visitor
from tests.relying_party import Party
from tests.verifying import verified

FORM: Fields = {
    "code_challenge": None,
    "code_challenge_method": None,
    "response_mode": "form_post",
}


async def token_in_form(visitor: Visitor, library: Party) -> str:
    """Return the ID token for whom the page's form is sent to."""
    assert visitor.status == 200
    sent = form_in(visitor.last.text)
    assert sent == {"code": sent["code"], "state": "a-state", "iss": ISSUER}
    tokens = (await library.redeem(sent["code"], {"code_verifier": None})).json()
    return str(tokens["id_token"])


@pytest.mark.usefixtures("resident")
@pytest.mark.parametrize("how", ["prompt", "id_token_hint", "max_age"])
async def test_answer_in_silence_is_a_form(
    visitor: Visitor, library: Party, clock: Clock, how: str
) -> None:
    await visitor.open(address(FORM))
    await visitor.press("#allow")
    first = await token_in_form(visitor, library)
    changes: dict[str, Fields] = {
        "prompt": {"prompt": "none"},
        "id_token_hint": {"prompt": "none", "id_token_hint": first},
        "max_age": {"max_age": "10000"},
    }
    clock.now += timedelta(minutes=5)
    await visitor.open(address({**FORM, **changes[how]}))
    second = await token_in_form(visitor, library)
    before, after = [(await verified(library.http, each)).claims for each in (first, second)]
    assert all(before[name] == after[name] for name in ("sub", "auth_time", "nonce"))


@pytest.mark.usefixtures("resident")
async def test_posted_request_is_answered_by_a_form(
    visitor: Visitor, library: Party, other_visitor: Visitor
) -> None:
    # A cross-site POST carries no SameSite=Lax cookie: the other client stands for it.
    posted = await other_visitor.http.post("/authorize", data=request_fields(FORM))
    assert posted.status_code == 303
    await visitor.open(posted.headers["location"])
    await visitor.press("#allow")
    claims = (await verified(library.http, await token_in_form(visitor, library))).claims
    assert claims["nonce"] == "a-nonce"
