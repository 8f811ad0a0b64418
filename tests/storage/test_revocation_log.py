"""The log beside the backups: written before anything is acknowledged, and nothing is forged."""

import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from citizen_account.bootstrap import build_runtime
from citizen_account.domain.accounts import AccountId, Role
from citizen_account.domain.errors import DomainError, ErrorCode
from citizen_account.domain.events import RoleGranted, RoleRevoked
from citizen_account.domain.revocations import REVOCATIONS, Revocation
from citizen_account.security.tokens import new_id
from citizen_account.storage.revocation_log import LogPosition, RevocationLog, RevocationLogError
from citizen_account.usecases.revocations import REPEATS
from tests.factories import START, Clock, settings_for

KEY = b"k" * 32


def a_revocation(number: int) -> Revocation:
    at = START + timedelta(minutes=number)
    return Revocation(at, "consent_withdrawn", {"consent_id": f"{number}"})


@pytest.fixture
def log(tmp_path: Path) -> RevocationLog:
    """Return a log of three lines, written in two turns."""
    log = RevocationLog(tmp_path / "revocations.log", KEY)
    log.append([a_revocation(0), a_revocation(1)])
    log.append([a_revocation(2)])
    return log


def numbers(found: Sequence[Revocation]) -> list[str]:
    return [revocation.facts["consent_id"] for revocation in found]


def test_what_was_written_is_read_in_order(log: RevocationLog) -> None:
    assert [revocation for _, revocation in log.read()] == [a_revocation(n) for n in range(3)]
    assert log.position().lines == 3
    assert log.path.stat().st_mode & 0o077 == 0


def test_log_goes_on_from_a_position_and_from_an_instant(log: RevocationLog) -> None:
    position = log.position()
    log.append([a_revocation(3)])
    late = START + timedelta(days=1)
    assert numbers(list(log.since(position, late))) == ["3"]
    assert numbers(list(log.since(position, START + timedelta(minutes=2)))) == ["2", "3"]
    assert numbers(list(log.since(LogPosition(), late))) == ["0", "1", "2", "3"]


def test_line_that_a_crash_cut_off_is_dropped(log: RevocationLog) -> None:
    with log.path.open("ab") as file:
        file.write(b'{"at": "2026')
    assert log.position().lines == 3
    log.append([a_revocation(3)])
    assert log.position().lines == 4


def test_forged_line_is_found(log: RevocationLog) -> None:
    lines = log.path.read_bytes().splitlines(keepends=True)
    changed = lines[1].replace(b'"1"', b'"7"')
    swapped = [lines[1], lines[0], lines[2]]
    for forged in ([lines[0], changed, lines[2]], [lines[0], lines[2]], swapped):
        log.path.write_bytes(b"".join(forged))
        with pytest.raises(RevocationLogError):
            log.position()


def test_log_that_lost_its_end_or_is_another_one_is_refused(
    log: RevocationLog, tmp_path: Path
) -> None:
    position = log.position()
    other = RevocationLog(tmp_path / "other.log", KEY)
    other.append([a_revocation(number) for number in range(5, 10)])
    with pytest.raises(RevocationLogError, match="not the log"):
        list(other.since(position, START))
    log.path.write_bytes(b"".join(log.path.read_bytes().splitlines(keepends=True)[:2]))
    with pytest.raises(RevocationLogError, match="not the log"):
        list(log.since(position, START))


def test_each_kind_in_the_log_can_be_carried_out_again() -> None:
    assert REPEATS.keys() == REVOCATIONS


async def test_revocation_is_in_the_log_once_it_is_kept(database_url: str, tmp_path: Path) -> None:
    path = tmp_path / "revocations.log"
    runtime = build_runtime(settings_for(database_url, revocation_log=str(path)), Clock())
    account_id = AccountId(new_id())
    async with runtime.database.begin() as uow:
        uow.record(RoleGranted(account_id, Role.HELPER))
        uow.record(RoleRevoked(account_id, Role.HELPER))
    [line] = path.read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["kind"] == "role_revoked"
    assert json.loads(line)["facts"] == {"account_id": str(account_id), "role": "helper"}
    await runtime.database.close()


async def test_nothing_is_kept_where_the_log_cannot_be_written(
    database_url: str, tmp_path: Path
) -> None:
    """A withdrawal is never acknowledged before it is stored."""
    missing = tmp_path / "no such folder" / "revocations.log"
    runtime = build_runtime(settings_for(database_url, revocation_log=str(missing)), Clock())
    account_id = AccountId(new_id())
    with pytest.raises(DomainError) as refused:
        async with runtime.database.begin() as uow:
            uow.record(RoleRevoked(account_id, Role.HELPER))
    assert refused.value.code is ErrorCode.TEMPORARILY_UNAVAILABLE
    async with runtime.database.read() as uow:
        assert await uow.audit.page(before=None, size=10) == []
    await runtime.database.close()
