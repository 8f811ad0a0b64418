"""Claims that an account holds only where they came with it (OIDC Core sections 5.1 and 5.4)."""

from dataclasses import replace
from zoneinfo import available_timezones

import pytest

from citizen_account.domain.accounts import Account, AccountId, Level, Profile
from citizen_account.domain.claims import (
    CLAIMS_OF_SCOPE,
    claim_values,
    decided_claims,
    held_further,
    only_held,
)
from citizen_account.domain.clients import ClaimUse, ClientPurpose
from citizen_account.domain.consents import LegalBasis
from citizen_account.domain.profiles import read_further
from citizen_account.openid.interaction import Ask, Release
from tests.authorization_facts import CONSENT, LIBRARY, RESIDENT, START, step
from tests.services import FURTHER

# OIDC Core section 5.4, word for word.
OF_PROFILE = (
    "name, family_name, given_name, middle_name, nickname, preferred_username, profile, picture,"
    " website, gender, birthdate, zoneinfo, locale, and updated_at"
)
TODAY = frozenset({"name", "given_name", "family_name", "birthdate", "locale", "updated_at"})
SOME = frozenset({"nickname", "gender"})
# She has decided about all of the scope, on a day when nothing further had come.
DECIDED = replace(CONSENT, scopes=frozenset({"openid", "profile"}), claims=TODAY)


def account(profile: Profile) -> Account:
    return Account(
        id=AccountId(RESIDENT),
        email=None,
        profile=profile,
        language="sk",
        level=Level.LOW,
        created_at=START,
        updated_at=START,
        closing_at=None,
        mail_failing_since=None,
    )


def test_5_4_scope_profile_stands_for_all_fourteen() -> None:
    assert CLAIMS_OF_SCOPE["profile"] == set(OF_PROFILE.replace("and ", "").split(", "))


def test_account_tells_what_came_with_it_and_nothing_else() -> None:
    assert FURTHER.items() <= claim_values(account(Profile(further=FURTHER))).items()
    odd = Profile(further={"nickname": "Janka", "gender": "", "name": "Peter", "sub": "x"})
    assert claim_values(account(odd)).keys() == {"nickname", "locale", "updated_at"}
    assert held_further(odd) == {"nickname"}


def test_only_what_she_holds_is_a_matter() -> None:
    whole = CLAIMS_OF_SCOPE["profile"]
    assert only_held(whole, frozenset()) == TODAY
    assert decided_claims(only_held(whole, SOME)) == (
        "name",
        "nickname",
        "birthdate",
        "gender",
        "locale",
    )


def test_who_holds_nothing_further_is_not_asked_again() -> None:
    assert isinstance(step({"scope": "openid profile"}, consent=DECIDED), Release)


def test_who_got_something_is_asked_about_that_alone() -> None:
    asked = step({"scope": "openid profile"}, consent=DECIDED, held=SOME)
    assert isinstance(asked, Ask)
    assert asked.asking.is_addition
    assert [claim.name for claim in asked.asking.required] == ["nickname", "gender"]
    assert not asked.asking.optional


def test_claims_parameter_names_them_one_by_one() -> None:
    """OIDC Core section 5.5."""
    wish = {"scope": "openid", "claims": '{"id_token": {"nickname": null, "gender": null}}'}
    asked = step(wish, consent=None, held=frozenset({"nickname"}))
    assert isinstance(asked, Ask)
    assert asked.asking.request.claims == {"nickname"}


def test_purpose_of_nothing_that_she_holds_is_not_shown() -> None:
    uses = tuple(ClaimUse(name, is_required=True, reason={}) for name in ("nickname", "gender"))
    purpose = ClientPurpose("club", {"en": "A club"}, LegalBasis.CONSENT, "", "", uses)
    client = replace(LIBRARY, purposes=(purpose,))
    asked = step({"scope": "openid profile"}, client=client, consent=None)
    assert isinstance(asked, Ask)
    assert not asked.asking.purposes
    assert not asked.asking.claims


@pytest.mark.parametrize(("name", "value"), FURTHER.items())
def test_5_1_good_value_is_kept(name: str, value: str) -> None:
    assert read_further(name, f" {value} ", available_timezones()) == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("picture", "http://people.example/jana.jpg"),
        ("picture", "//people.example/jana.jpg"),
        ("picture", "javascript:alert(1)"),
        ("website", "https://"),
        ("website", "https://[::1"),
        ("website", "https://jana.example:port/"),
        ("website", "https://jana:secret@jana.example/"),
        ("profile", "https://people.example/jana kováčová"),
        ("profile", f"https://people.example/{'x' * 500}"),
        ("zoneinfo", "Bratislava"),
        ("zoneinfo", "../etc/passwd"),
        ("nickname", "x" * 151),
        ("gender", "elamef\u202e"),
    ],
)
def test_5_1_value_of_another_form_is_refused(name: str, value: str) -> None:
    assert read_further(name, value, available_timezones()) is None
