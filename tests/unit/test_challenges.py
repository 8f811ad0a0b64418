"""How long a code lives, and how it may be written."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from citizen_account.domain.challenges import (
    CODE_LIFETIME,
    MAX_CODES,
    MAX_TRIES,
    STEP_LIFETIME,
    Challenge,
    ChallengeId,
    ChallengePurpose,
    Onward,
    read_code,
)
from citizen_account.domain.emails import EmailAddress

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
FRESH = Challenge(
    id=ChallengeId(uuid4()),
    purpose=ChallengePurpose.REGISTER,
    browser_digest=b"browser",
    account_id=None,
    email=EmailAddress("jana@example.sk"),
    onward=Onward(),
    is_decoy=False,
    created_at=NOW,
    code_expires_at=NOW + CODE_LIFETIME,
    expires_at=NOW + CODE_LIFETIME,
    tries=0,
    codes=1,
    verified_at=None,
    used_at=None,
)


def test_a_code_lives_ten_minutes() -> None:
    assert FRESH.is_open(NOW + timedelta(minutes=10) - SECOND)
    assert not FRESH.is_open(NOW + timedelta(minutes=10))


def test_five_tries_are_all() -> None:
    assert replace(FRESH, tries=MAX_TRIES - 1).is_open(NOW)
    assert not replace(FRESH, tries=5).is_open(NOW)


def test_a_right_code_opens_one_step_once() -> None:
    verified = replace(FRESH, verified_at=NOW)
    assert not verified.is_open(NOW)
    assert verified.is_proven(NOW)
    assert not replace(verified, used_at=NOW).is_proven(NOW)
    assert not verified.is_proven(verified.expires_at)
    assert not FRESH.is_proven(NOW)


def test_sending_again_has_an_end() -> None:
    assert FRESH.may_resend(NOW)
    assert FRESH.may_resend(FRESH.expires_at)
    assert not FRESH.may_resend(NOW + STEP_LIFETIME)
    assert not replace(FRESH, codes=MAX_CODES).may_resend(NOW)
    assert not replace(FRESH, tries=MAX_TRIES).may_resend(NOW)
    assert not replace(FRESH, verified_at=NOW).may_resend(NOW)


def test_another_browser_or_purpose_does_not_fit() -> None:
    assert FRESH.is_of(b"browser", ChallengePurpose.REGISTER)
    assert not FRESH.is_of(b"another", ChallengePurpose.REGISTER)
    assert not FRESH.is_of(b"browser", ChallengePurpose.RECOVER)


@pytest.mark.parametrize("written", ["123456", " 123 456 ", "123\u00a0456", "12-34-56"])
def test_spaces_in_a_code_are_welcome(written: str) -> None:
    assert read_code(written) == "123456"
