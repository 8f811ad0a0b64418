"""The main job: a resident joins, links a service, lets another in, takes it back, leaves."""

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser import new_page, run_browser
from tests.small_city import SmallCity, run_small_city

EMAIL = "zuzana.nova@post.example"
PASSWORD = "breza kosec lampa tulipan 7"
PHONE = "+421 905 111 222"
PATIENCE_MS = 30_000
PARENT = "Jana"

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="function")]


@dataclass(frozen=True)
class Resident:
    """A person at a browser, who knows what she typed and nothing of our code."""

    page: Page
    city: SmallCity

    async def open(self, path: str) -> None:
        await self.page.goto(f"{self.city.account}{path}")

    async def register(self) -> None:
        await self.open("/en/register")
        await self.page.fill("#register-email", EMAIL)
        await self.page.click("#register-submit")
        await self.page.fill("#code", self.city.read_code(EMAIL))
        await self.page.click("#verify")
        await self.page.fill("#given-name", "Zuzana")
        await self.page.fill("#family-name", "Nová")
        await self.page.fill("#password", PASSWORD)
        await self.page.click("#create-account")
        await expect(self.page.locator("#services")).to_be_visible()

    async def add_phone(self) -> None:
        await self.open("/en/profile")
        await self.page.fill("#phone-number", PHONE)
        await self.page.click("#save-profile")

    async def sign_out(self) -> None:
        await self.open("/en/dashboard")
        await self.page.click("#sign-out")
        await expect(self.page.locator("#signed-out")).to_be_visible()

    async def sign_in(self) -> None:
        await self.open("/en/sign-in")
        await self.page.fill("#email", EMAIL)
        await self.page.fill("#password", PASSWORD)
        await self.page.click("#sign-in")
        await expect(self.page.locator("#services")).to_be_visible()

    async def link_permits(self) -> None:
        reference, secret = self.city.find_letter(PARENT, "permits")
        await self.open("/en/link/permits")
        await self.page.fill("#reference", reference)
        await self.page.fill("#secret", secret)
        await self.page.click("#link")

    async def enter_library(self) -> None:
        await self.page.goto(self.city.library)
        await self.page.click("#sign-in-with-city")

    async def received(self) -> dict[str, object]:
        shown: dict[str, object] = json.loads(await self.page.inner_text("#received"))
        return shown


@pytest.fixture
def city(empty_database_url: str, tmp_path: Path) -> Iterator[SmallCity]:
    with run_small_city(empty_database_url, tmp_path) as city:
        yield city


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with run_browser() as browser:
        yield browser


@pytest.fixture(params=[True, False], ids=["scripts", "no scripts"])
async def resident(
    request: pytest.FixtureRequest, browser: Browser, city: SmallCity
) -> AsyncIterator[Resident]:
    async with new_page(browser, has_scripts=request.param) as page:
        yield Resident(page, city)


async def test_main_job(resident: Resident) -> None:
    await resident.register()
    await resident.add_phone()
    await resident.sign_out()
    await resident.sign_in()
    await resident.link_permits()
    await see_two_applications(resident)
    await let_the_library_in(resident)
    await see_what_the_library_got(resident)
    await withdraw_from_the_library(resident)
    await find_the_library_closed(resident)
    await let_the_library_in_again(resident)
    await sign_out_here_and_there(resident)


async def see_two_applications(resident: Resident) -> None:
    # A page never waits for a connector: the snapshot may still be on its way.
    page = resident.page
    await look_until(resident, "/en/services/permits", "#cases a", count=2)
    links = await page.locator("#cases a").evaluate_all("all => all.map(one => one.href)")
    for link in links:
        await page.goto(link)
        await expect(page.locator("#steps")).to_be_visible()
        await expect(page.locator("main time").first).to_be_visible()


async def let_the_library_in(resident: Resident) -> None:
    page = resident.page
    await resident.enter_library()
    optional = page.locator('input[name="optional"]')
    await expect(optional.first).to_be_visible()
    for number in range(await optional.count()):
        await expect(optional.nth(number)).not_to_be_checked()
    await page.click("#allow")
    await expect(page.locator("#signed-in-as")).to_contain_text("Zuzana")
    received = json.dumps(await resident.received())
    assert "Zuzana" in received
    assert EMAIL in received
    assert "phone" not in received
    assert PHONE.replace(" ", "") not in received


async def see_what_the_library_got(resident: Resident) -> None:
    await resident.open("/en/privacy")
    await expect(resident.page.locator("#grants")).to_contain_text("Library")
    await expect(resident.page.locator("#access-log")).to_contain_text("Library")


async def withdraw_from_the_library(resident: Resident) -> None:
    page = resident.page
    await page.locator('#grants a[href*="/privacy/withdraw/"]').first.click()
    await page.click("#withdraw")
    await expect(page.locator("#grants")).to_be_visible()
    await expect(page.locator('#grants a[href*="/privacy/withdraw/"]')).to_have_count(0)


async def find_the_library_closed(resident: Resident) -> None:
    # The account may have told the Library already; otherwise its next question is refused.
    page = resident.page
    await page.goto(resident.city.library)
    if await page.locator("#refresh").count():
        await page.click("#refresh")
    await expect(page.locator("#sign-in-with-city")).to_be_visible()
    await expect(page.locator("#signed-in-as")).to_have_count(0)


async def let_the_library_in_again(resident: Resident) -> None:
    page = resident.page
    await page.click("#sign-in-with-city")
    await page.click("#allow")
    await expect(page.locator("#signed-in-as")).to_contain_text("Zuzana")


async def sign_out_here_and_there(resident: Resident) -> None:
    await resident.sign_out()
    await look_until(resident, resident.city.library, "#sign-in-with-city", count=1)
    await resident.open("/en/dashboard")
    await expect(resident.page.locator("#email")).to_be_visible()


async def look_until(resident: Resident, address: str, selector: str, *, count: int) -> None:
    """Load the page again until it shows so many elements, as a patient person would."""
    page = resident.page
    for _ in range(PATIENCE_MS // 500):
        await page.goto(address if "://" in address else f"{resident.city.account}{address}")
        if await page.locator(selector).count() == count:
            return
        await page.wait_for_timeout(500)
    await expect(page.locator(selector)).to_have_count(count)
