"""A half configuration does not start, and says what is missing."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from citizen_account.settings import SecretFileError, Settings
from tests.factories import environment

URL = "sqlite:///city.db"
PRODUCTION = {"environment": "production", "smtp_url": "smtps://mail.example"}


def fault_of(**changes: str) -> str:
    with pytest.raises(ValidationError) as refusal:
        Settings.model_validate(environment(URL, **changes))
    return str(refusal.value)


@pytest.mark.parametrize(
    "issuer",
    [
        "https://account.city.example/",
        "https://account.city.example/path",
        "https://account.city.example?x=1",
        "http://account.city.example",
        "ftp://account.city.example",
        "account.city.example",
        "https://user@account.city.example",
    ],
)
def test_issuer_of_another_shape_is_refused(issuer: str) -> None:
    assert "issuer" in fault_of(issuer=issuer)


@pytest.mark.parametrize("key", ["secret_key", "data_key"])
def test_short_key_is_refused(key: str) -> None:
    assert "at least 32 random characters" in fault_of(**{key: "short"})


def test_empty_data_key_is_refused() -> None:
    assert "CITIZEN_DATA_KEY is empty" in fault_of(data_key="")


def test_unknown_time_zone_is_refused() -> None:
    assert "IANA" in fault_of(time_zone="Europe/Nowhere")


def test_development_mailbox_is_refused_in_production() -> None:
    assert "CITIZEN_SMTP_URL is missing" in fault_of(environment="production")


def test_production_needs_https_and_a_contact() -> None:
    assert "must be https in production" in fault_of(issuer="http://localhost:8000", **PRODUCTION)
    nobody = {"support_email": "", "support_phone": ""}
    assert "CITIZEN_SUPPORT_EMAIL" in fault_of(**PRODUCTION, **nobody)


def test_lists_are_read_from_words() -> None:
    changes = {"trusted_proxies": "10.0.0.0/8, ::1/128", "data_key": f"{'a' * 32} {'b' * 32}"}
    settings = Settings.model_validate(environment(URL, **changes))
    assert [str(network) for network in settings.trusted_proxies] == ["10.0.0.0/8", "::1/128"]
    assert len(settings.data_key) == 2


def test_secret_is_read_from_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "secret"
    file.write_text("f" * 40 + "\n")
    for name, value in environment(URL).items():
        if name != "secret_key":
            monkeypatch.setenv(f"CITIZEN_{name.upper()}", value)
    monkeypatch.setenv("CITIZEN_SECRET_KEY_FILE", str(file))
    assert Settings().secret_key.get_secret_value() == "f" * 40


@pytest.mark.parametrize("content", [None, b"\xff\xfe\xfd"], ids=["absent", "no text"])
def test_secret_in_a_file_that_cannot_be_read_is_refused(
    content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv("CITIZEN_SECRET_KEY_FILE", str(file))
    with pytest.raises(SecretFileError, match=r"CITIZEN_SECRET_KEY_FILE: .* cannot be read"):
        Settings()


def test_secret_that_is_given_twice_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_text("f" * 40)
    monkeypatch.setenv("CITIZEN_DATA_KEY_FILE", str(tmp_path / "secret"))
    monkeypatch.setenv("CITIZEN_DATA_KEY", "g" * 40)
    with pytest.raises(SecretFileError, match="both set"):
        Settings()


def test_secrets_do_not_show() -> None:
    assert "an invented key" not in repr(Settings.model_validate(environment(URL)))
