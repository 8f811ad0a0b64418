"""What came with an account and its resident never typed: seen, decided about, removed."""

from dataclasses import replace

import pytest

from citizen_account.bootstrap import Runtime
from citizen_account.domain.emails import EmailAddress
from tests.authorizing import address, allow, answer_in
from tests.journeys.steps import JANA, register
from tests.pages import Visitor
from tests.relying_party import Party
from tests.services import FURTHER, SECRET
from tests.services import register as register_service

PROFILE = {"scope": "openid profile"}
LABELS = {
    "en": (
        "Middle name",
        "Nickname",
        "User name",
        "Gender",
        "Time zone",
        "Profile on the web",
        "Picture",
        "Website",
    ),
    "sk": (
        "Stredné meno",
        "Prezývka",
        "Používateľské meno",
        "Pohlavie",
        "Časové pásmo",
        "Profil na webe",
        "Obrázok",
        "Webová stránka",
    ),
}


@pytest.fixture
async def library(runtime: Runtime, visitor: Visitor) -> Party:
    """Return a service that names no purpose; the visitor has an account and is signed in."""
    await register_service(runtime)
    await register(visitor, runtime)
    return Party(visitor.http, "library", SECRET)


async def bring(runtime: Runtime) -> None:
    async with runtime.database.begin() as uow:
        account = await uow.accounts.find_by_email(EmailAddress(JANA))
        assert account is not None
        full = replace(account.profile, further=FURTHER)
        await uow.accounts.save_profile(account, full, account.language, uow.now)


async def told(library: Party, visitor: Visitor) -> dict[str, object]:
    issued = (await library.redeem(answer_in(visitor.left_for)["code"])).json()
    claims: dict[str, object] = (await library.userinfo(issued["access_token"])).json()
    return claims


async def test_who_holds_nothing_of_the_kind_sees_nothing_of_it(
    library: Party, visitor: Visitor, runtime: Runtime
) -> None:
    await visitor.open(address(PROFILE))
    page = visitor.text("#main-content")
    assert "Date of birth" in page
    assert not [label for label in LABELS["en"] if label in page]
    await visitor.press("#allow")
    assert not FURTHER.keys() & (await told(library, visitor)).keys()
    await visitor.open("/en/privacy")
    assert not [label for label in LABELS["en"] if label in visitor.text("#main-content")]
    await visitor.open("/en/profile")
    assert not visitor.has("#came-with")
    async with runtime.database.read() as uow:
        account = await uow.accounts.find_by_email(EmailAddress(JANA))
        assert account is not None
        [consent] = await uow.consents.list_every(account.id)
    assert not FURTHER.keys() & (consent.claims | consent.refused)
    await visitor.open(address(PROFILE))
    assert "code" in answer_in(visitor.left_for)


@pytest.mark.parametrize("language", LABELS)
async def test_who_holds_them_decides_about_them(
    library: Party, visitor: Visitor, runtime: Runtime, language: str
) -> None:
    await bring(runtime)
    await visitor.open(address({**PROFILE, "ui_locales": language}))
    page = visitor.text("#main-content")
    assert not [words for words in (*LABELS[language], *FURTHER.values()) if words not in page]
    await visitor.press("#allow")
    assert FURTHER.items() <= (await told(library, visitor)).items()
    await visitor.open(f"/{language}/privacy")
    log = visitor.text("#access-log")
    assert not [label for label in LABELS[language] if label not in log]


async def test_later_ones_are_asked_about_alone(
    library: Party, visitor: Visitor, runtime: Runtime
) -> None:
    await allow(visitor, PROFILE)
    await bring(runtime)
    await visitor.open(address(PROFILE))
    page = visitor.text("#main-content")
    assert "You allowed it some of your data before." in page
    assert "Nickname" in page
    assert "Date of birth" not in page
    await visitor.press("#allow")
    assert {"name", *FURTHER} <= (await told(library, visitor)).keys()


@pytest.mark.parametrize("language", LABELS)
async def test_profile_shows_them_and_removes_them(
    library: Party, visitor: Visitor, runtime: Runtime, language: str
) -> None:
    await bring(runtime)
    await allow(visitor, PROFILE)
    issued = (await library.redeem(answer_in(visitor.left_for)["code"])).json()
    await visitor.open(f"/{language}/profile")
    page = visitor.text("#main-content")
    assert not [words for words in (*LABELS[language], *FURTHER.values()) if words not in page]
    # The form above them knows nothing of them, and saves without touching them.
    await visitor.press("#save-profile")
    await visitor.press("#remove-middle-name")
    assert visitor.path == f"/{language}/profile"
    assert LABELS[language][0] not in visitor.text("#main-content")
    assert visitor.has("#remove-nickname")
    claims = (await library.userinfo(issued["access_token"])).json()
    assert FURTHER.keys() - claims.keys() == {"middle_name"}
    for name in FURTHER.keys() - {"middle_name"}:
        await visitor.press(f"#remove-{name.replace('_', '-')}")
    assert not visitor.has("#came-with")


async def test_removed_claim_stands_in_the_log_of_no_later_release(
    library: Party, visitor: Visitor, runtime: Runtime
) -> None:
    await bring(runtime)
    issued = (await library.redeem((await allow(visitor, PROFILE))["code"])).json()
    await visitor.open("/en/profile")
    await visitor.press("#remove-nickname")
    assert (await library.refresh(issued["refresh_token"])).status_code == 200
    await visitor.open("/en/privacy")
    log = visitor.text("#access-log")
    assert (log.count("Nickname"), log.count("Gender")) == (1, 2)


async def test_removal_is_audited_and_what_is_left_is_exported(
    library: Party, visitor: Visitor, runtime: Runtime
) -> None:
    """GDPR articles 5(2) and 20."""
    assert library
    await bring(runtime)
    await visitor.open("/en/profile")
    await visitor.press("#remove-gender")
    await visitor.open("/en/privacy/export")
    assert "Janka" in visitor.text("#main-content")
    await visitor.press("#download")
    file = visitor.last.json()
    kept = {name: value for name, value in FURTHER.items() if name != "gender"}
    assert kept.items() <= file["account"]["claims"].items()
    assert "gender" not in file["account"]["claims"]
    assert "profile_changed" in {entry["event"] for entry in file["history"]}
