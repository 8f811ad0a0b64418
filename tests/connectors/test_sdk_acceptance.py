"""The acceptance suite takes a good connector, and each check refuses one that is broken."""

import shutil
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest

from citizen_account.connector_sdk import example
from citizen_account.connector_sdk.acceptance import AcceptanceTarget, Source
from citizen_account.connector_sdk.auth import ApiKey
from citizen_account.connector_sdk.checks import BRONZE
from citizen_account.connector_sdk.example.connector import ExampleOffice, build
from citizen_account.connector_sdk.example.emulator import (
    FIRST,
    KEY,
    SECOND,
    ExampleOfficeEmulator,
)
from citizen_account.connector_sdk.http import ConnectorHttp
from citizen_account.connector_sdk.models import (
    Answer,
    Case,
    Context,
    Place,
    PlaceState,
)
from citizen_account.connector_sdk.protocol import Build, Connector
from tests.connectors import broken

FOLDER = Path(example.__file__).parent


def target_of(
    build: Build = build,
    folder: Path = FOLDER,
    *,
    name: str = "example",
    settings: Mapping[str, str] | None = None,
) -> AcceptanceTarget:
    emulator = ExampleOfficeEmulator()
    return AcceptanceTarget(
        name=name,
        folder=folder,
        build=build,
        transport=httpx2.ASGITransport(emulator),
        source=Source("http://office.example/", ApiKey(KEY)),
        settings={"office": "7", **(settings or {})},
        inject=emulator.inject,
        residents=(
            Context(subject=FIRST, claims={"given_name": broken.NAME}),
            Context(subject=SECOND, claims={"given_name": "Miro Vymyslený"}),
        ),
        secrets=frozenset({KEY}),
        position=(48.14, 17.11, 500.0),
    )


@pytest.mark.parametrize("check", BRONZE)
async def test_good_connector_passes(check: str) -> None:
    await BRONZE[check](target_of())


# --- connectors that are broken on purpose ------------------------------------------------------


def built(office: type[ExampleOffice], **parts: object) -> Build:
    """Return a `build` for an office that differs from the good one."""

    def build(config: Mapping[str, str], http: ConnectorHttp) -> Connector:
        made = office(config["office"], http)
        whole = Connector(health=made, recognition=made, cases=made, gdpr=made)
        return replace(whole, **parts)  # type: ignore[arg-type]  # parts of the right kinds

    return build


BROKEN: list[tuple[str, type[ExampleOffice], str]] = [
    ("5-health-finds-what-is-misconfigured", broken.AlwaysWell, "the URL of the source is wrong"),
    ("5-health-finds-what-is-misconfigured", broken.AlwaysDown, "not misconfigured"),
    ("6-stranger-gets-nothing", broken.ForgetsStrangers, "whom it answers about"),
    ("6-stranger-gets-nothing", broken.FailsForStrangers, "export failed"),
    ("7-residents-stay-apart", broken.MixesResidents, "share a record"),
    ("7-residents-stay-apart", broken.OpensAnything, "opens somebody else's case"),
    ("7-lying-source-is-not-believed", broken.BelievesLies, "passed on as the resident's own"),
    ("8-deadline-is-kept", broken.HidesFaults, "hid the fault"),
    ("8-deadline-is-kept", broken.WaitsForEver, "waits longer"),
    ("9-limits-are-told", broken.ForgetsTheWait, "changes Retry-After"),
    ("13-broken-answers-are-errors", broken.HidesFaults, "hid the fault"),
    ("13-unknown-members-pass", broken.Strict, "unknown members"),
    ("13-changed-members-do-no-harm", broken.TrustsTheSource, "raised KeyError"),
    ("17-export-covers-what-is-shown", broken.ExportsNothing, "not in the export"),
    ("18-erasing-keeps-its-word", broken.ErasesOnTrial, "dry run changes"),
    ("18-erasing-keeps-its-word", broken.RefusesInEnglish, "silent in sk"),
    ("18-erasing-keeps-its-word", broken.RefusesTheSecondTime, "erasing twice"),
    ("19-nothing-leaks", broken.Talks, "a log"),
    ("19-nothing-leaks", broken.PutsNamesInUrls, "a URL"),
    ("19-nothing-leaks", broken.RepeatsTheSource, "an error"),
    ("22-health-tells-down-from-misconfigured", broken.AlwaysMisconfigured, "not down"),
    ("22-health-tells-down-from-misconfigured", broken.AlwaysWell, "not down"),
]


@pytest.mark.parametrize(
    ("check", "office", "reason"), BROKEN, ids=[f"{c}-{o.__name__}" for c, o, _ in BROKEN]
)
async def test_broken_connector_fails_its_check(
    check: str, office: type[ExampleOffice], reason: str
) -> None:
    with pytest.raises(AssertionError, match=reason):
        await BRONZE[check](target_of(built(office)))


async def test_connector_that_hides_a_capability_fails() -> None:
    with pytest.raises(AssertionError, match="not implemented: cases"):
        await BRONZE["3-declared-is-implemented"](target_of(built(ExampleOffice, cases=None)))


async def test_connector_that_can_more_than_it_declares_fails() -> None:
    extra = built(ExampleOffice, places=Nearby(lambda: None))
    with pytest.raises(AssertionError, match="not declared: places"):
        await BRONZE["3-declared-is-implemented"](target_of(extra))


# --- what it says about itself ------------------------------------------------------------------


def folder_with(tmp_path: Path, file: str, change: Callable[[str], str]) -> Path:
    folder = tmp_path / "example"
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    path = folder / file
    before = path.read_text(encoding="utf-8")
    path.write_text(change(before), encoding="utf-8")
    assert path.read_text(encoding="utf-8") != before
    return folder


MANIFESTS: Sequence[tuple[str, str, str]] = [
    ("1-manifest-holds", "[limits]", "[limitz]"),
    ("1-manifest-holds", 'id = "example"', 'id = "other"'),
    ("2-texts-in-every-language", ', sk = "Ukážkové žiadosti"', ""),
    ("2-texts-in-every-language", 'sk = "Ukážkové žiadosti"', 'sk = "Example applications"'),
]


@pytest.mark.parametrize(("check", "old", "new"), MANIFESTS)
async def test_broken_manifest_fails_its_check(
    tmp_path: Path, check: str, old: str, new: str
) -> None:
    folder = folder_with(tmp_path, "manifest.toml", lambda text: text.replace(old, new))
    with pytest.raises(AssertionError):
        await BRONZE[check](target_of(folder=folder))


SCHEMAS: Sequence[tuple[str, str]] = [
    ('"additionalProperties": false', '"additionalProperties": true'),
    ('"office": {', '"api_token": {"type": "string"}, "office": {'),
    ('"office": {', '"pin": {"type": "string", "x-secret": true}, "office": {'),
    ('"pattern": "^[0-9]{1,6}$"', '"pattern": "^[a-z]+$"'),
]


@pytest.mark.parametrize(("old", "new"), SCHEMAS)
async def test_broken_schema_of_settings_fails(tmp_path: Path, old: str, new: str) -> None:
    folder = folder_with(tmp_path, "config.schema.json", lambda text: text.replace(old, new))
    with pytest.raises(AssertionError):
        await BRONZE["4-settings-are-described"](target_of(folder=folder))


async def test_connector_that_tells_a_secret_setting_fails(tmp_path: Path) -> None:
    marked = '"pin": {"type": "string", "writeOnly": true, "x-secret": true}, "office": {'
    folder = folder_with(
        tmp_path, "config.schema.json", lambda text: text.replace('"office": {', marked)
    )

    class Open(ExampleOffice):
        def __repr__(self) -> str:
            return "Open(pin='4711-secret')"

    target = target_of(built(Open), folder, settings={"pin": "4711-secret"})
    with pytest.raises(AssertionError, match="repr tells a secret"):
        await BRONZE["4-settings-are-described"](target)


# --- public places ------------------------------------------------------------------------------


class Nearby:
    """Places of the office; `before` runs before each request."""

    def __init__(self, before: Callable[[], object]) -> None:
        self._before = before

    async def near(
        self, lat: float, lon: float, radius: float, kinds: Sequence[str] = ()
    ) -> Answer[Place]:
        del radius, kinds
        self._before()
        place = Place(
            id="1", kind="office", name="Office", lat=lat, lon=lon, state=PlaceState.AVAILABLE
        )
        return Answer((place,), datetime.now(UTC), "Example office")


def with_places(asks: Callable[[ConnectorHttp, str], Awaitable[object]]) -> Build:
    """Return a build whose places are asked from the source in the given way."""

    def build(config: Mapping[str, str], http: ConnectorHttp) -> Connector:
        class Remembers(ExampleOffice):
            last = ""

            async def list_cases(self, context: Context, cursor: str | None = None) -> Answer[Case]:
                Remembers.last = context.subject
                return await super().list_cases(context, cursor)

        class Asks(Nearby):
            async def near(
                self, lat: float, lon: float, radius: float, kinds: Sequence[str] = ()
            ) -> Answer[Place]:
                await asks(http, Remembers.last)
                return await super().near(lat, lon, radius, kinds)

        made = Remembers(config["office"], http)
        return Connector(
            health=made,
            recognition=made,
            cases=made,
            gdpr=made,
            places=Asks(lambda: None),
        )

    return build


async def test_public_call_that_carries_nobody_passes() -> None:
    target = target_of(with_places(lambda http, _: http.get_json("offices/7")))
    await BRONZE["23-public-calls-carry-nobody"](target)


async def test_public_call_that_says_who_looks_fails() -> None:
    target = target_of(
        with_places(lambda http, who: http.get_json("offices/7", params={"reader": who}))
    )
    with pytest.raises(AssertionError, match="who looks"):
        await BRONZE["23-public-calls-carry-nobody"](target)


async def test_public_call_with_a_cookie_fails() -> None:
    target = target_of(
        with_places(lambda http, _: http.get_json("offices/7", headers={"Cookie": "a=b"}))
    )
    with pytest.raises(AssertionError, match="cookie"):
        await BRONZE["23-public-calls-carry-nobody"](target)


# --- the suite itself ---------------------------------------------------------------------------


def test_every_check_is_shown_to_fail() -> None:
    here = Path(__file__).read_text(encoding="utf-8")
    assert [name for name in BRONZE if f'"{name}"' not in here] == []
