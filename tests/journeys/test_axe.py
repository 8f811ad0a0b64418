"""axe finds nothing on any page that can be reached, in each language, at each width."""

import re
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urljoin, urlsplit

import httpx2
import pytest
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]  # untyped upstream
from playwright.async_api import Browser, Page

from citizen_account.demo.personas import PERSONAS, Persona
from citizen_account.domain.accounts import Role
from tests.browser import DESKTOP, HEIGHT, NARROW, PHONE, new_page, run_browser
from tests.small_city import SmallCity, run_small_city

WIDTHS = (NARROW, PHONE, DESKTOP)
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
OPTIONS = {"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"]}
# One page of a kind is enough: its address without ids.
ID = re.compile(r"/[0-9a-f-]{8,}|/[A-Z0-9][A-Za-z0-9_-]{11,}|\d+")
MOST_PAGES = 60
NEW_RESIDENT = "axe@post.example"

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("axe")]


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallCity]:
    folder = tmp_path_factory.mktemp("axe")
    with run_small_city(f"sqlite:///{folder / 'account.db'}", folder) as city:
        yield city


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with run_browser() as browser:
        yield browser


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    async with new_page(browser) as page:
        yield page


def persona(role: Role | None) -> Persona:
    return next(someone for someone in PERSONAS if someone.role is role)


async def faults(page: Page) -> list[str]:
    """Return what axe and a ruler find on the open page, at each width."""
    found = []
    # A click only begins what may be several redirects.
    await page.wait_for_load_state("load")
    await page.wait_for_selector("h1")
    for width in WIDTHS:
        await page.set_viewport_size({"width": width, "height": HEIGHT})
        results = await Axe().run(page, options=OPTIONS)
        found += [
            f"{page.url} at {width}: {violation['id']}: {node['html'][:200]}"
            for violation in results.response["violations"]
            for node in violation["nodes"]
        ]
        if await page.evaluate("document.documentElement.scrollWidth") > width:
            found.append(f"{page.url} at {width}: scrolls sideways")
    return found


async def links(page: Page) -> list[str]:
    found: list[str] = await page.eval_on_selector_all("a[href]", "all => all.map(a => a.href)")
    return found


async def crawl(page: Page, start: str, area: str) -> tuple[set[str], list[str]]:
    """Visit every kind of page below the area that links lead to; return kinds and faults."""
    ours = urlsplit(start).netloc
    waiting, seen, found = [start], set[str](), list[str]()
    while waiting and len(seen) < MOST_PAGES:
        address = waiting.pop(0)
        parts = urlsplit(address)
        kind = ID.sub("*", parts.path)
        is_file = "." in parts.path
        if kind in seen or is_file or parts.netloc != ours or not parts.path.startswith(area):
            continue
        seen.add(kind)
        await page.goto(address)
        found += await faults(page)
        waiting += await links(page)
    return seen, found


async def sign_in(page: Page, city: SmallCity, language: str, someone: Persona) -> None:
    await page.goto(f"{city.account}/{language}/sign-in")
    await page.fill("#email", someone.email)
    await page.fill("#password", someone.password)
    await page.click("#sign-in")
    await page.wait_for_selector("#services")


@pytest.mark.parametrize("language", ["sk", "en"])
async def test_pages_of_a_stranger(page: Page, city: SmallCity, language: str) -> None:
    kinds, found = await crawl(page, f"{city.account}/{language}/sign-in", f"/{language}/")
    assert {f"/{language}/{name}" for name in ("sign-in", "register", "help", "terms")} <= kinds
    assert not found


@pytest.mark.parametrize("language", ["sk", "en"])
async def test_pages_of_a_resident(page: Page, city: SmallCity, language: str) -> None:
    await sign_in(page, city, language, persona(None))
    kinds, found = await crawl(page, page.url, f"/{language}/")
    expected = ("dashboard", "services", "messages", "privacy", "security", "profile")
    assert {f"/{language}/{name}" for name in expected} <= kinds
    assert not found


@pytest.mark.parametrize("language", ["sk", "en"])
async def test_pages_of_an_administrator(page: Page, city: SmallCity, language: str) -> None:
    await sign_in(page, city, language, persona(Role.ADMINISTRATOR))
    # These addresses name no language: they take the administrator's own.
    await page.goto(f"{city.account}/{language}/profile")
    await page.select_option("#language", language)
    await page.click("#save-profile")
    club = {"client_name": "Chess club", "redirect_uris": ["https://chess.example/callback"]}
    registered = httpx2.post(
        f"{city.account}/register", json={**club, "policy_uri": "https://chess.example/privacy"}
    )
    assert registered.status_code == 201
    kinds, found = await crawl(page, f"{city.account}/admin", "/admin")
    assert {"/admin", "/admin/registrations", "/admin/registrations*"} <= kinds
    assert await page.get_attribute("html", "lang") == language
    assert not found


@pytest.mark.parametrize("language", ["sk", "en"])
async def test_pages_on_the_way_to_an_account(page: Page, city: SmallCity, language: str) -> None:
    address = f"{language}.{NEW_RESIDENT}"
    await page.goto(f"{city.account}/{language}/register")
    await page.fill("#register-email", "no address")
    await page.click("#register-submit")
    found = await faults(page)
    await page.fill("#register-email", address)
    await page.click("#register-submit")
    found += await faults(page)
    await page.fill("#code", "000000")
    await page.click("#verify")
    found += await faults(page)
    await page.fill("#code", city.read_code(address))
    await page.click("#verify")
    found += await faults(page)
    await page.click("#create-account")
    found += await faults(page)
    assert await page.title()
    assert not found


# Who has decided once is not asked again: each language has a reader of its own.
@pytest.mark.parametrize(("language", "reader"), [("sk", PERSONAS[1]), ("en", PERSONAS[2])])
async def test_pages_between_the_account_and_a_service(
    page: Page, city: SmallCity, language: str, reader: Persona
) -> None:
    await page.goto(f"{city.library}/{language}/")
    found = await faults(page)
    await page.click("#sign-in-with-city")
    found += await faults(page)
    await page.fill("#email", reader.email)
    await page.fill("#password", reader.password)
    await page.click("#sign-in")
    await page.wait_for_selector("#allow")
    found += await faults(page)
    await page.click("#allow")
    await page.wait_for_selector("#received")
    found += await faults(page)
    await page.goto(f"{city.account}/{language}/privacy")
    found += await faults(page)
    await page.locator('#grants a[href*="/privacy/withdraw/"]').first.click()
    found += await faults(page)
    await page.goto(city.library)
    await page.click("#sign-out")
    found += await faults(page)
    assert not found


@pytest.mark.parametrize("language", ["sk", "en"])
async def test_pages_that_say_no(page: Page, city: SmallCity, language: str) -> None:
    found = []
    for path in (f"/{language}/nowhere", "/authorize?client_id=nobody", "/logout"):
        await page.goto(urljoin(city.account, path))
        found += await faults(page)
    await page.goto(f"{city.account}/{language}/sign-in")
    await page.fill("#email", "jana@example.sk")
    await page.fill("#password", "not hers at all")
    await page.click("#sign-in")
    found += await faults(page)
    assert not found


async def test_inaccessible_page_is_found(page: Page, city: SmallCity) -> None:
    await page.goto(f"{city.account}/en/sign-in")
    await page.evaluate(
        """() => {
            document.documentElement.removeAttribute('lang');
            document.querySelector('label[for=email]').remove();
            document.querySelector('main').style.width = '2000px';
            document.querySelector('#sign-in').style.color = '#00703d';
        }"""
    )
    told = " ".join(await faults(page))
    assert all(word in told for word in ("html-has-lang", "label", "scrolls sideways"))
