"""Other providers: the operator's file, what of an answer counts, and when a way in may go."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from joserfc.jwk import ECKey

from citizen_account.domain.accounts import AccountId, Level
from citizen_account.domain.upstreams import (
    Identity,
    Upstream,
    UpstreamId,
    is_fresh,
    may_unlink,
    read_methods,
)
from citizen_account.upstream.file import UpstreamsFileError, read_upstreams

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
GOOD: dict[str, Any] = {  # Any: JSON
    "id": "eid",
    "issuer": "https://eid.example",
    "client_id": "city",
    "client_secret": "a secret of the provider",
    "title": {"en": "eID"},
}


def written(tmp_path: Path, *entries: object) -> Path:
    file = tmp_path / "upstreams.json"
    file.write_text(json.dumps(entries), encoding="utf-8")
    return file


def test_example_of_the_documentation_is_read(tmp_path: Path) -> None:
    text = Path("docs/upstreams.md").read_text(encoding="utf-8")
    found = re.search(r"```json\n(.*?)```", text, re.DOTALL)
    assert found is not None
    [listed] = read_upstreams(written(tmp_path, *json.loads(found[1])))
    assert listed.claims["birthdate"] == "date_of_birth"
    assert listed.claims["given_name"] == "given_name"
    assert listed.upstream.level_of("http://eidas.europa.eu/LoA/high") is Level.HIGH


def test_further_claims_are_taken_where_the_file_names_them(tmp_path: Path) -> None:
    [listed] = read_upstreams(written(tmp_path, {**GOOD, "claims": {"nickname": "nick"}}))
    assert listed.claims["nickname"] == "nick"
    assert "gender" not in listed.claims


def test_private_key_is_read(tmp_path: Path) -> None:
    key = ECKey.generate_key("P-256").as_dict(private=True)
    entry = {**GOOD, "client_secret": None, "key": key}
    [listed] = read_upstreams(written(tmp_path, entry))
    assert listed.credentials.algorithm == "ES256"


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": "http://eid.example"},
        {"issuer": "https://eid.example?tenant=1"},
        {"issuer": "https://user:secret@eid.example"},
        {"id": "../etc"},
        {"id": ""},
        {"client_secret": None},
        {"key": {"kty": "EC"}},
        {"client_secret": None, "key": {"kty": "oct", "k": "AAAA"}},
        {"client_secret": None, "key": ECKey.generate_key("P-256").as_dict(private=False)},
        {"scopes": ["profile"]},
        {"scopes": ["openid profile"]},
        {"title": {}},
        {"acr": {"x": "highest"}},
        {"claims": {"birth_number": "rodne_cislo"}},
        {"clinet_id": "a slip of the pen"},
    ],
    ids=",".join,
)
def test_mistake_in_the_file_is_named_without_its_secrets(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    with pytest.raises(UpstreamsFileError) as caught:
        read_upstreams(written(tmp_path, {**GOOD, **changes}))
    assert "a secret of the provider" not in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_two_with_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UpstreamsFileError, match="twice"):
        read_upstreams(written(tmp_path, GOOD, {**GOOD, "issuer": "https://other.example"}))
    with pytest.raises(UpstreamsFileError, match="twice"):
        read_upstreams(written(tmp_path, GOOD, {**GOOD, "id": "other"}))


@pytest.mark.parametrize("text", ["", "{", "{}", '"x"'])
def test_file_that_holds_no_list_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "upstreams.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UpstreamsFileError):
        read_upstreams(file)


def test_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UpstreamsFileError, match=r"absent\.json"):
        read_upstreams(tmp_path / "absent.json")


@pytest.mark.parametrize("acr", [None, "", "x", 3, ["https://eid.example/high"]])
def test_unknown_acr_is_the_lowest_level(acr: object) -> None:
    upstream = Upstream(
        UpstreamId("eid"),
        "https://eid.example",
        {"en": "eID"},
        {"https://eid.example/high": Level.HIGH},
    )
    assert upstream.level_of(acr) is Level.LOW


@pytest.mark.parametrize(
    ("amr", "methods"),
    [
        (["hwk", "pin"], ("hwk", "pin")),
        (["hwk", "hwk"], ("hwk",)),
        (["with a blank", "x" * 99, "Ž", 5], ("fed",)),
        ([str(number) for number in range(9)], ("0", "1", "2")),
        ("hwk", ("fed",)),
        (None, ("fed",)),
    ],
)
def test_only_plain_methods_enter_a_session(amr: object, methods: tuple[str, ...]) -> None:
    read = read_methods(amr)
    assert read == methods
    assert len(" ".join(read)) <= 64


def test_last_way_in_may_not_go() -> None:
    one = Identity(UUID(int=1), UpstreamId("eid"), AccountId(UUID(int=2)), NOW, NOW)
    assert not may_unlink([one], has_password=False)
    assert may_unlink([one], has_password=True)
    assert may_unlink([one, one], has_password=False)


def test_sign_in_is_fresh_for_ten_minutes() -> None:
    assert is_fresh(NOW - timedelta(minutes=10), NOW)
    assert not is_fresh(NOW - timedelta(minutes=10, seconds=1), NOW)
