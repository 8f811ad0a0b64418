"""Static files are compressed, kept for ever under an address that changes with them."""

import gzip
import re
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI

from citizen_account.app import create_app
from citizen_account.bootstrap import build_runtime
from citizen_account.resources import STATIC
from citizen_account.web.pages import Pages
from citizen_account.web.portal.dashboard import DashboardPage
from citizen_account.web.static_files import PREFIX, StaticFiles
from tests.examples import frame, full, our_translations, pages_with
from tests.factories import settings_for

KIBIBYTE = 1024
MAX_FIRST_LOAD = 120 * KIBIBYTE
MAX_REQUESTS = 12
ASKED = re.compile(rf'{PREFIX}/\w+/([^"#]+)')
IMPORTED = re.compile(r"(?:from '|url\()\.?/?([^')]+)")
# Of the three cuts of the font a page in Slovak or English loads two.
CYRILLIC = "fonts/inter-cyr.woff2"


@pytest.fixture
def files(tmp_path: Path) -> StaticFiles:
    (tmp_path / "city.css").write_text("body{}" * 100)
    (tmp_path / "letter.woff2").write_bytes(b"wOF2")
    return StaticFiles(tmp_path)


async def get(files: StaticFiles, path: str, encoding: str = "gzip") -> httpx2.Response:
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(files), base_url="https://city.example"
    ) as client:
        return await client.get(path, headers={"accept-encoding": encoding})


def first_load(page: str, files: StaticFiles) -> set[str]:
    """Return the files that a browser asks for with the page: linked ones, and theirs in turn."""
    asked = set(ASKED.findall(page))
    sheets = (name for name in asked.copy() if name.endswith((".css", ".js")))
    for name in sheets:
        asked |= set(IMPORTED.findall(files.files[name].body.decode()))
    return asked - {CYRILLIC}


def sent_bytes(name: str, files: StaticFiles) -> int:
    file = files.files[name]
    return len(file.body if file.compressed is None else file.compressed)


async def test_current_version_is_kept_for_ever(files: StaticFiles) -> None:
    answer = await get(files, files.url("city.css"))
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"].startswith("text/css")
    assert answer.text == "body{}" * 100


async def test_another_version_is_served_but_not_kept(files: StaticFiles) -> None:
    answer = await get(files, f"{PREFIX}/000000000000/city.css")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "public, max-age=60"


async def test_text_is_compressed_where_the_browser_reads_it(files: StaticFiles) -> None:
    assert (await get(files, files.url("city.css"))).headers["content-encoding"] == "gzip"
    plain = await get(files, files.url("city.css"), encoding="identity")
    assert "content-encoding" not in plain.headers
    assert plain.headers["vary"] == "Accept-Encoding"
    font = await get(files, files.url("letter.woff2"))
    assert "content-encoding" not in font.headers
    assert font.headers["content-type"] == "font/woff2"


@pytest.mark.parametrize(
    "path", ["", "nothing.css", "../settings.py", "%2e%2e/settings.py", "city.css/", "city.css%00"]
)
async def test_nothing_else_is_served(files: StaticFiles, path: str) -> None:
    assert (await get(files, f"{PREFIX}/{files.version}/{path}")).status_code == 404


async def test_address_changes_with_any_file(files: StaticFiles, tmp_path: Path) -> None:
    (tmp_path / "letter.woff2").write_bytes(b"wOF3")
    assert StaticFiles(tmp_path).version != files.version


def test_city_replaces_a_file(tmp_path: Path) -> None:
    for folder, sheet in (("ours", "body{}"), ("the city's", "body{color:red}")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "city.css").write_text(sheet)
    files = StaticFiles(tmp_path / "the city's", tmp_path / "ours")
    assert files.files["city.css"].body == b"body{color:red}"


def test_misspelt_file_is_no_address(files: StaticFiles) -> None:
    with pytest.raises(KeyError):
        files.url("cty.css")


def app_of(tmp_path: Path, brand: str) -> FastAPI:
    settings = settings_for(
        f"sqlite:///{tmp_path}/city.db", brand=brand, templates_folder=str(tmp_path)
    )
    return create_app(build_runtime(settings))


def test_city_brings_its_own_brand(tmp_path: Path) -> None:
    sheet = tmp_path / "static" / "brand" / "castle.css"
    sheet.parent.mkdir(parents=True)
    sheet.write_text(":root{--city-accent:#0b5d57}")
    pages: Pages = app_of(tmp_path, "castle").state.pages
    assert "brand/castle.css" in pages.static_files.files


def test_missing_brand_keeps_the_account_from_starting(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="CITIZEN_BRAND"):
        app_of(tmp_path, "castle")


def test_first_load_is_light() -> None:
    files = StaticFiles(STATIC)
    pages: Pages = pages_with(our_translations())
    html = bytes(pages.render(frame("sk"), full(DashboardPage)).body)
    asked = first_load(html.decode(), files)
    total = len(html) + sum(sent_bytes(name, files) for name in asked)
    # The page itself, and one request for each file.
    assert len(asked) + 1 <= MAX_REQUESTS, asked
    assert total <= MAX_FIRST_LOAD, {name: sent_bytes(name, files) for name in asked}


def test_compressed_is_the_same_file() -> None:
    for file in StaticFiles(STATIC).files.values():
        assert file.compressed is None or gzip.decompress(file.compressed) == file.body
