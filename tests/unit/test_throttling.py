"""Who is counted with whom."""

from datetime import UTC, datetime, timedelta

import pytest

from citizen_account.domain.throttling import (
    Subjects,
    Throttled,
    address_block,
    code_counters,
    link_counters,
    send_counters,
    sign_in_counters,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("198.51.100.1", "198.51.100.254"),
        ("2001:db8:1:2ff::1", "2001:db8:1:200:ffff::9"),
        ("::ffff:198.51.100.1", "198.51.100.7"),
        ("fe80::1%eth0", "fe80::1"),
    ],
)
def test_neighbours_are_one_block(one: str, other: str) -> None:
    assert address_block(one) == address_block(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("198.51.100.1", "198.51.101.1"), ("2001:db8:1:200::1", "2001:db8:1:300::1")],
)
def test_strangers_are_two_blocks(one: str, other: str) -> None:
    assert address_block(one) != address_block(other)


@pytest.mark.parametrize("text", ["", "testclient", "198.51.100", "1::2::3"])
def test_what_is_no_address_is_still_counted(text: str) -> None:
    assert address_block(text) == "unknown"


@pytest.mark.parametrize("rules", [sign_in_counters, send_counters, code_counters, link_counters])
def test_account_block_and_everyone_are_counted(rules: object) -> None:
    assert callable(rules)
    counters = rules(Subjects("jana@example.sk", "198.51.100.1"))
    keys = {counter.key for counter in counters}
    assert len(keys) == len(counters)
    assert any("jana@example.sk" in key for key in keys)
    assert any(key.endswith(address_block("198.51.100.1")) and "jana" not in key for key in keys)
    assert any(counter.subject == "" for counter in counters)


def test_waiting_time_is_never_zero() -> None:
    assert Throttled(NOW).seconds_from(NOW) == 1
    assert Throttled(NOW + timedelta(seconds=90)).seconds_from(NOW) == 91
