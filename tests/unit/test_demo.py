"""The small city's own parts: its people, its files, its pages, its beginning and its end."""

import json
import os
import re
import signal
import socket
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest

from citizen_account.connector_host.configuration import read_configurations
from citizen_account.demo.account import TEMPLATES
from citizen_account.demo.city import Part, SmallCity
from citizen_account.demo.city_facts import LETTERS
from citizen_account.demo.connectors import connectors_toml
from citizen_account.demo.eid import TEMPLATES as EID_TEMPLATES
from citizen_account.demo.eid import PeoplePage
from citizen_account.demo.emulators.register import Register
from citizen_account.demo.letters import Letters, LettersPage
from citizen_account.demo.library.pages import Frame as LibraryFrame
from citizen_account.demo.library.pages import LostPage, ReaderPage, WelcomePage
from citizen_account.demo.library.pages import Pages as LibraryPages
from citizen_account.demo.personas import EID_PERSONAS, PERSONAS, Persona
from citizen_account.demo.registrations import account_at_eid_metadata, library_metadata
from citizen_account.demo.seed import write_files
from citizen_account.demo.supervisor import CityError, run_city
from citizen_account.domain.accounts import Level, Role
from citizen_account.domain.passwords import find_password_problem
from citizen_account.i18n import m
from citizen_account.openid.registration import Surroundings, read_registration
from citizen_account.settings import Settings
from citizen_account.upstream.file import read_upstreams
from citizen_account.web.portal.sign_in import SignInPage
from tests.catalogues import PSEUDO, PseudoTranslations
from tests.examples import frame, full, our_translations, pages_with
from tests.small_city import free_ports, run_small_city

# What no reader is told in words: the style's address, code, and the names of the answers.
SILENT = re.compile(r"<(pre|code|dt)\b.*?</\1>|<head>.*?<title>", re.DOTALL)
EVERYBODY = (*PERSONAS, *EID_PERSONAS)


@pytest.fixture
def city(tmp_path: Path) -> SmallCity:
    return SmallCity.in_folder(tmp_path, 8000)


@pytest.mark.parametrize("persona", EVERYBODY, ids=lambda persona: persona.email)
def test_password_is_four_words_and_a_number_that_we_would_accept(persona: Persona) -> None:
    *words, number = persona.password.split()
    assert len(words) == 4
    assert number.isdecimal()
    known = (persona.name, persona.address.local_part)
    assert find_password_problem(persona.password, context=known) is None


def test_people_are_those_that_were_promised() -> None:
    stories = " ".join(persona.story for persona in PERSONAS)
    for promised in ("parent: two applications", "pensioner: a parking card", "student: nothing"):
        assert promised in stories
    assert [persona.role for persona in PERSONAS if persona.role] == [Role.ADMINISTRATOR]
    assert len({persona.email for persona in EVERYBODY}) == len(EVERYBODY)


def test_clients_are_accepted_as_an_operator_would_import_them(city: SmallCity) -> None:
    surroundings = Surroundings(
        is_development=True, new_id="id", new_secret="s" * 43, now=datetime(2026, 1, 1, tzinfo=UTC)
    )
    library = read_registration(library_metadata(city), surroundings).client
    account = read_registration(account_at_eid_metadata(city), surroundings).client
    assert library.backchannel_logout_uri == "http://localhost:8002/backchannel-logout"
    assert "offline_access" not in library.scopes
    optional = [use.name for each in library.purposes for use in each.claims if not use.is_required]
    assert optional == ["phone_number"]
    assert account.redirect_uris == ("http://localhost:8000/upstream/eid/callback",)


def test_written_files_are_read_by_the_account(city: SmallCity) -> None:
    write_files(city)
    [eid] = read_upstreams(city.upstreams_file)
    assert eid.upstream.issuer == "http://localhost:8001"
    assert eid.upstream.level_of("http://eidas.europa.eu/LoA/high") is Level.HIGH
    connectors = read_configurations(city.connectors_file)
    assert set(connectors) == {"permits", "housing", "mobility"}
    assert connectors_toml(city) == city.connectors_file.read_text(encoding="utf-8")


def test_secrets_are_the_owner_s_and_stay(city: SmallCity) -> None:
    write_files(city)
    secret = city.secret("account_secret_key")
    assert city.secret("account_secret_key") == secret
    files = (city.folder / "secrets" / "account_secret_key", city.upstreams_file)
    assert [file.stat().st_mode & 0o777 for file in files] == [0o600, 0o600]


def test_settings_of_the_caller_do_not_leak_into_the_parts(
    city: SmallCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CITIZEN_SMTP_URL", "smtp://real.example")
    for part in Part:
        assert "CITIZEN_SMTP_URL" not in city.environment_of(part)
    for part in (Part.ACCOUNT, Part.EID):
        mine = city.environment_of(part)
        values = {
            name.removeprefix("CITIZEN_").lower(): value
            for name, value in mine.items()
            if name.startswith("CITIZEN_")
        }
        assert Settings.model_validate(values).issuer == city.address_of(part)


async def test_used_letters_come_last(tmp_path: Path) -> None:
    links = tmp_path / "links.json"
    first = LETTERS[0]
    Register(path=links).link(first.service, first.reference, first.secret, "SUBJECT")
    unused, used = Letters(links)._sorted()  # noqa: SLF001  # what both pages show
    assert used == [first]
    assert [*unused, *used] != list(LETTERS)
    assert len(unused) + len(used) == len(LETTERS)


@pytest.mark.parametrize("language", ["sk", "en"])
def test_pages_of_the_small_city_say_all_they_should(language: str) -> None:
    pages = pages_with(our_translations(), TEMPLATES)
    letters = pages.render(frame(language), LettersPage(LETTERS, LETTERS))
    for letter in LETTERS:
        assert letter.secret.encode() in letters.body
    eid = pages_with(our_translations(), EID_TEMPLATES)
    people = eid.render(frame(language), PeoplePage(EID_PERSONAS))
    for persona in EID_PERSONAS:
        assert persona.password.encode() in people.body
    sign_in = eid.render(frame(language), full(SignInPage))
    assert b'id="test-only"' in sign_in.body
    assert b'href="/dev/people"' in sign_in.body


def library_pages() -> Sequence[WelcomePage | ReaderPage | LostPage]:
    return (
        WelcomePage(m("Sign out"), False, "access_denied", {"refresh": "HTTP 400"}, "token"),  # noqa: FBT003  # a page's field
        ReaderPage(m("Sign out"), "007", "{}", {"refresh": "HTTP 200"}, "token"),
        LostPage(m("Sign out")),
    )


@pytest.mark.parametrize("page", library_pages(), ids=lambda page: type(page).__name__)
def test_library_has_no_text_outside_its_catalogue(
    page: WelcomePage | ReaderPage | LostPage,
) -> None:
    shown = LibraryFrame(PSEUDO, "en", "007", "/")
    rendered = LibraryPages(PseudoTranslations("Europe/Bratislava")).render(shown, page)
    words = SILENT.sub("", bytes(rendered.body).decode())
    outside = re.sub(r"\u27e6[^\u27e7]*\u27e7", "", re.sub(r"<[^>]+>", " ", words))
    assert not re.search(r"[^\W\d_]", outside), outside


async def test_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as busy:
        port = free_ports()
        busy.bind(("127.0.0.1", port + 2))
        busy.listen()
        with pytest.raises(CityError, match=f"Port {port + 2} is taken"):
            await run_city(SmallCity.in_folder(tmp_path, port), lambda _: None)


def children_of(pid: int) -> dict[str, int]:
    """Return the parts of a running city by their names."""
    listed = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(pid)], capture_output=True, text=True, check=True
    )
    found = {}
    for line in listed.stdout.splitlines():
        number, *words = line.split()
        if "citizen_account.demo.part" in words:
            found[words[words.index("citizen_account.demo.part") + 1]] = int(number)
    return found


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.slow
def test_city_ends_as_a_whole_and_finds_its_data_again(tmp_path: Path) -> None:
    database_url = f"sqlite:///{tmp_path}/city.db"
    with run_small_city(database_url, tmp_path) as city:
        parts = children_of(city.process.pid)
        assert set(parts) == {"account", "eid", "library", "emulators"}
        published = httpx2.get(f"{city.account}/jwks").json()
        # A part dies: the others must not stay behind.
        os.kill(parts["library"], signal.SIGKILL)
        assert city.process.wait(30) == 1
        assert not [pid for pid in parts.values() if is_running(pid)]
    with run_small_city(database_url, tmp_path) as city:
        assert httpx2.get(f"{city.account}/jwks").json() == published
        discovery = f"{city.account}/.well-known/openid-configuration"
        assert json.loads(httpx2.get(discovery).text)["issuer"] == city.account
