"""The privacy page names the purposes that a resident's data is used for, and no other."""

from collections.abc import Set as AbstractSet
from dataclasses import replace

import pytest

from citizen_account.domain.clients import ClaimUse, ClientPurpose
from citizen_account.domain.consents import LegalBasis
from citizen_account.usecases.consents import Access
from citizen_account.web.portal.access_lines import purposes_behind
from tests.authorization_facts import CONSENT, LIBRARY


def _purpose(name: str, *claims: str) -> ClientPurpose:
    uses = tuple(ClaimUse(claim, is_required=False, reason={}) for claim in claims)
    return ClientPurpose(name, {"en": name}, LegalBasis.CONSENT, "", "", uses)


CLIENT = replace(
    LIBRARY,
    purposes=(_purpose("lend", "name", "birthdate"), _purpose("remind", "email"), _purpose("open")),
)


@pytest.mark.parametrize(
    ("claims", "named"),
    [
        ({"name", "email"}, ["lend", "remind", "open"]),
        ({"name", "birthdate"}, ["lend", "open"]),
        # What comes with a claim is that claim's: a part of the name, the proof of an address.
        ({"given_name"}, ["lend", "open"]),
        ({"email_verified"}, ["remind", "open"]),
        (set(), ["open"]),
    ],
)
def test_purpose_whose_data_was_refused_is_not_named(
    claims: AbstractSet[str], named: list[str]
) -> None:
    shown = frozenset({"lend", "remind", "open"})
    consent = replace(CONSENT, claims=frozenset(claims), purposes=shown)
    assert [each.id for each in purposes_behind(Access(consent, CLIENT))] == named


def test_something_is_named_also_where_all_was_refused() -> None:
    consent = replace(CONSENT, claims=frozenset(), purposes=frozenset({"lend"}))
    assert [each.id for each in purposes_behind(Access(consent, CLIENT))] == ["lend"]


def test_purpose_that_was_dropped_since_is_gone() -> None:
    consent = replace(CONSENT, claims=frozenset({"email"}), purposes=frozenset({"remind", "old"}))
    assert [each.id for each in purposes_behind(Access(consent, CLIENT))] == ["remind"]
