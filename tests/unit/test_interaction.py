"""The rules for what an authorization needs next, without a database or a server."""

import json
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from citizen_account.domain.accounts import Level, SessionId
from citizen_account.domain.clients import (
    ClaimUse,
    ClientPurpose,
)
from citizen_account.domain.consents import ConsentEnd, LegalBasis
from citizen_account.openid.authorization import (
    Prompt,
)
from citizen_account.openid.interaction import (
    Ask,
    Register,
    Release,
    SignIn,
    Step,
)
from tests.authorization_facts import (
    CONSENT,
    FRESH,
    HIGH,
    LIBRARY,
    SESSION,
    START,
    SUBSTANTIAL,
    error_of,
    refused,
    step,
)

# --- OIDC Core section 3.1.2.3: the next step ---


def test_decided_request_is_released_in_silence() -> None:
    for prompt in (None, "none"):
        released = step({"prompt": prompt})
        assert isinstance(released, Release)
        assert released.claims == {"email", "email_verified"}
        assert released.level is Level.LOW


@pytest.mark.parametrize(
    ("facts", "error"),
    [
        ({"session": None}, "login_required"),
        ({"consent": None}, "consent_required"),
        ({"hinted_subject": "another"}, "login_required"),
    ],
)
def test_prompt_none_shows_no_page(facts: dict[str, Any], error: str) -> None:
    assert error_of(step({"prompt": "none"}, **facts)) == error


def test_prompt_none_refuses_an_old_sign_in() -> None:
    assert error_of(step({"prompt": "none", "max_age": "10"})) == "login_required"


@pytest.mark.parametrize("prompt", ["login", "select_account", "login consent"])
def test_prompt_forces_one_new_sign_in(prompt: str) -> None:
    assert step({"prompt": prompt}) == SignIn()
    assert step({"prompt": prompt}, session=FRESH) != SignIn()


def test_prompt_create_leads_to_registration_once() -> None:
    assert step({"prompt": "create"}, session=None) == Register()
    assert step({"prompt": "create"}) == Register()
    assert isinstance(step({"prompt": "create"}, session=FRESH), Release)


def test_sign_in_of_the_same_instant_is_no_new_one_unless_the_session_is_new() -> None:
    same = replace(SESSION, authenticated_at=START)
    assert step({"prompt": "login"}, session=same) == SignIn()
    other = replace(same, id=SessionId(UUID(int=8)))
    assert isinstance(step({"prompt": "login"}, session=other), Release)


def test_max_age_counts_from_the_last_sign_in() -> None:
    assert step({"max_age": "299"}) == SignIn()
    assert isinstance(step({"max_age": "300"}), Release)
    assert step({"max_age": "0"}) == SignIn()


def test_max_age_is_met_by_the_sign_in_it_asked_for_however_long_consent_takes() -> None:
    assert isinstance(step({"max_age": "1"}, session=FRESH, seconds=600), Release)


def test_hint_of_another_resident_asks_once_then_fails() -> None:
    assert step(hinted_subject="another") == SignIn()
    assert error_of(step(hinted_subject="another", session=FRESH)) == "login_required"
    assert isinstance(step(hinted_subject="subject"), Release)


def test_claims_parameter_may_name_the_resident() -> None:
    """OIDC Core section 5.5.1."""
    named = json.dumps({"id_token": {"sub": {"value": "another"}}})
    assert step({"claims": named}) == SignIn()


def essential_acr(*values: str) -> dict[str, str | None]:
    wish = {"essential": True, "values": list(values)}
    return {"claims": json.dumps({"id_token": {"acr": wish}})}


def test_essential_acr_steps_up_once_then_fails() -> None:
    """OIDC Core section 5.5.1.1."""
    wish = essential_acr(SUBSTANTIAL)
    assert step(wish) == SignIn()
    assert error_of(step(wish, session=FRESH)) == "unmet_authentication_requirements"
    assert error_of(step({**wish, "prompt": "none"})) == "interaction_required"
    raised = step(wish, session=replace(FRESH, level=Level.HIGH))
    assert isinstance(raised, Release)
    assert raised.level is Level.SUBSTANTIAL


def test_acr_that_nobody_knows_is_refused_only_when_essential() -> None:
    assert refused(essential_acr("urn:unknown")) == "invalid_request"
    assert isinstance(step({"acr_values": "urn:unknown"}), Release)


def test_acr_values_are_a_wish_that_asks_once() -> None:
    """RFC 9470 section 5."""
    wish = {"acr_values": f"{HIGH} {SUBSTANTIAL}"}
    assert step(wish) == SignIn()
    assert isinstance(step({**wish, "prompt": "none"}), Release)
    released = step(wish, session=FRESH)
    assert isinstance(released, Release)
    assert released.level is Level.LOW


# --- what needs the resident's answer ---


def asked_claims(decided: Step) -> list[str]:
    assert isinstance(decided, Ask), decided
    return [claim.name for claim in decided.asking.claims]


def test_new_service_asks_for_everything_and_folds_what_belongs_together() -> None:
    wanted = {"scope": "openid profile email phone"}
    assert asked_claims(step(wanted, consent=None)) == [
        "name",
        "birthdate",
        "email",
        "phone_number",
        "locale",
    ]


def test_grown_scope_asks_for_the_new_part_alone() -> None:
    decided = step({"scope": "openid email phone"})
    assert asked_claims(decided) == ["phone_number"]
    assert isinstance(decided, Ask)
    assert decided.asking.is_addition


def test_refused_claim_is_not_asked_again() -> None:
    phone = frozenset({"phone_number", "phone_number_verified"})
    consent = replace(CONSENT, scopes=CONSENT.scopes | {"phone"}, refused=phone)
    released = step({"scope": "openid email phone"}, consent=consent)
    assert isinstance(released, Release)
    assert not released.claims & phone


def test_prompt_consent_asks_in_full_and_once() -> None:
    assert asked_claims(step({"prompt": "consent"})) == ["email"]
    assert isinstance(step({"prompt": "consent"}, was_asked=True), Release)


def test_withdrawn_consent_is_none() -> None:
    ended = replace(CONSENT, ended_at=START, ended_by=ConsentEnd.WITHDRAWN)
    assert asked_claims(step(consent=ended)) == ["email"]


def test_new_purpose_asks_again() -> None:
    email = ClaimUse("email", is_required=True, reason={"en": "reminders"})
    loans = ClientPurpose("loans", {"en": "Loans"}, LegalBasis.CONTRACT, "§ 1", "P1Y", (email,))
    client = replace(LIBRARY, purposes=(loans,))
    assert isinstance(step(client=client), Ask)


def test_claim_without_a_purpose_is_never_released() -> None:
    email = ClaimUse("email", is_required=True, reason={"en": "reminders"})
    loans = ClientPurpose("loans", {"en": "Loans"}, LegalBasis.CONTRACT, "§ 1", "P1Y", (email,))
    client = replace(LIBRARY, purposes=(loans,))
    consent = replace(CONSENT, purposes=frozenset({"loans"}))
    wanted = {"claims": json.dumps({"id_token": {"phone_number": None, "email": None}})}
    released = step(wanted, client=client, consent=consent)
    assert isinstance(released, Release)
    assert released.claims == {"email", "email_verified"}
    assert released.id_token_claims == {"email"}


def test_offline_access_needs_prompt_consent_or_an_earlier_yes() -> None:
    """OIDC Core section 11."""
    wanted = {"scope": "openid email offline_access"}
    released = step(wanted)
    assert isinstance(released, Release)
    assert released.scope == ("openid", "email")
    asked = step({**wanted, "prompt": "consent"})
    assert isinstance(asked, Ask)
    assert asked.asking.is_offline
    allowed = replace(CONSENT, scopes=CONSENT.scopes | {"offline_access"})
    kept = step(wanted, consent=allowed)
    assert isinstance(kept, Release)
    assert "offline_access" in kept.scope


def test_every_prompt_is_a_known_one() -> None:
    assert {prompt.value for prompt in Prompt} == {
        "none",
        "login",
        "consent",
        "create",
        "select_account",
    }
