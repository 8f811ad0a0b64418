"""Drive the system's Chromium: pages as residents meet them, with and without JavaScript."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, Page, async_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Without the flags against background traffic, Chromium looks up its maker's hosts at each start.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP = 1280
PHONE = 390
NARROW = 320
HEIGHT = 900
PATIENCE_MS = 20_000


def find_chromium() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


@asynccontextmanager
async def run_browser() -> AsyncIterator[Browser]:
    """Yield the system's Chromium; skip the test, with the reason, where there is none."""
    program = find_chromium()
    if program is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        await browser.close()


@asynccontextmanager
async def new_page(
    browser: Browser, *, has_scripts: bool = True, width: int = DESKTOP
) -> AsyncIterator[Page]:
    """Yield a page of a new person: no cookies. Afterwards nothing may have broken our CSP."""
    context = await browser.new_context(
        java_script_enabled=has_scripts, viewport={"width": width, "height": HEIGHT}
    )
    context.set_default_timeout(PATIENCE_MS)
    page = await context.new_page()
    complaints: list[str] = []
    context.on(
        "console",
        lambda message: complaints.append(message.text) if is_our_fault(message.text) else None,
    )
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    yield page
    await context.close()
    assert not complaints


def is_our_fault(line: str) -> bool:
    """Say whether a console line is a broken promise; a 4xx answer also writes one, and may."""
    return "Content Security Policy" in line or "Refused to" in line
