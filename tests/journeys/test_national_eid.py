"""In the small city, in a browser: the eID opens an account and takes its holder to the Library.

Three origins, one after another, with the content security policy of each in force.
"""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from citizen_account.demo.personas import EID_PERSONAS, PERSONAS, Persona
from tests.browser import new_page, run_browser
from tests.small_city import SmallCity, run_small_city

JANA, *STRANGERS = EID_PERSONAS
JANA_HERE = PERSONAS[0]

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="function")]


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallCity]:
    folder: Path = tmp_path_factory.mktemp("city")
    with run_small_city(f"sqlite:///{folder}/account.db", folder) as city:
        yield city


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with run_browser() as browser:
        yield browser


@pytest.fixture(params=[True, False], ids=["scripts", "no scripts"])
def has_scripts(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
async def page(has_scripts: bool, browser: Browser) -> AsyncIterator[Page]:  # noqa: FBT001  # a fixture
    async with new_page(browser, has_scripts=has_scripts) as page:
        yield page


async def enter(page: Page, persona: Persona) -> None:
    await page.fill("#email", persona.email)
    await page.fill("#password", persona.password)
    await page.click("#sign-in")


async def test_eid_opens_an_account_on_the_way_to_the_library(
    page: Page,
    city: SmallCity,
    has_scripts: bool,  # noqa: FBT001  # a fixture
) -> None:
    # Somebody else each time: whoever was here already is known.
    stranger = STRANGERS[has_scripts]
    await page.goto(f"{city.library}/en/")
    await page.click("#sign-in-with-city")
    await page.click("#sign-in-with-eid")
    await expect(page.locator("#test-only")).to_be_visible()
    await enter(page, stranger)
    await page.click("#allow")
    await page.click("#create-account")
    await page.click("#allow")
    await expect(page.locator("#signed-in-as")).to_contain_text(stranger.profile.given_name)
    received = json.loads(await page.inner_text("#received"))
    assert received["id_token"]["acr"].endswith("/high")
    assert received["id_token"]["iss"] == city.account
    assert "birthdate" not in json.dumps(received)


async def test_eid_is_connected_to_an_account_with_both_proofs(page: Page, city: SmallCity) -> None:
    await page.goto(f"{city.account}/en/sign-in")
    await enter(page, JANA_HERE)
    await page.goto(f"{city.account}/en/security/identities")
    if await page.locator("#remove-1").count():
        await page.click("#remove-1")
    await page.click("#connect-eid")
    await enter(page, JANA)
    if await page.locator("#allow").count():
        await page.click("#allow")
    await expect(page.locator("#remove-1")).to_be_visible()
    assert page.url.startswith(f"{city.account}/en/security/identities")
