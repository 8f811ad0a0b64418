"""Hash and verify passwords with Argon2id, in worker threads and with a bounded queue."""

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from passlib.context import CryptContext
from passlib.hash import argon2

from citizen_account.domain.errors import DomainError, ErrorCode
from citizen_account.domain.passwords import is_hashable, normalise_password
from citizen_account.security.tokens import new_secret

Answer = TypeVar("Answer")

QUEUE = 8
HASH_NICENESS = 19
RETRY_AFTER_SECONDS = 2
# An imported or forged hash could ask for gigabytes: refused before a byte is reserved.
MAX_MEMORY_KIB = 1_048_576
MAX_TIME_COST = 20
MAX_PARALLELISM = 16


@dataclass(frozen=True, slots=True)
class HashParameters:
    """OWASP's floor for Argon2id is 19456 KiB, 2, 1; settings may ask for more."""

    memory_kib: int
    time_cost: int
    parallelism: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the password is right, and whether its hash is due to be made anew."""

    is_right: bool
    is_outdated: bool = False


class PasswordHasher:
    """Answer a few at once, let a few wait, and send the others away.

    Without a bound some sixty wrong passwords at once would take the memory and the cores that
    every other page needs.
    """

    def __init__(self, parameters: HashParameters, *, at_once: int | None = None) -> None:
        self._context = CryptContext(
            schemes=["argon2"],
            argon2__type="ID",
            argon2__memory_cost=parameters.memory_kib,
            argon2__rounds=parameters.time_cost,
            argon2__parallelism=parameters.parallelism,
        )
        self._at_once = at_once or hashes_at_once()
        self._threads = ThreadPoolExecutor(
            self._at_once, thread_name_prefix="hash", initializer=_stand_back
        )
        self._under_way = 0
        self._nobodys = self._context.hash(new_secret())

    @property
    def under_way(self) -> int:
        """How many are hashed or wait for it."""
        return self._under_way

    def require_room(self) -> None:
        """Raise too_busy if the next one would be sent away, before anything is done for it."""
        if self._under_way >= self._at_once + QUEUE:
            raise DomainError(ErrorCode.TOO_BUSY, retry_after=RETRY_AFTER_SECONDS)

    async def hash(self, password: str) -> str:
        """Return what may be stored. Raises: too_busy."""
        plain = normalise_password(password)
        return await self._run(lambda: str(self._context.hash(plain)))

    async def verify(self, password: str, stored: str | None) -> Verdict:
        """Compare; None stands for an unknown account and takes as long. Raises: too_busy."""
        # NIST SP 800-63B-4 and OWASP ASVS 5.0 6.3.8: a stranger cannot tell unknown from wrong.
        target = stored if stored is not None and is_bounded(stored) else self._nobodys
        # An impossible password costs the same as a wrong one, and nothing by its length.
        plain = normalise_password(password) if is_hashable(password) else ""
        is_match = await self._run(lambda: bool(self._context.verify(plain, target)))
        if not is_match or target is self._nobodys:
            return Verdict(is_right=False)
        return Verdict(is_right=True, is_outdated=bool(self._context.needs_update(target)))

    async def _run(self, work: Callable[[], Answer]) -> Answer:
        self.require_room()
        self._under_way += 1
        # Counted until the thread is done, not until the visitor has gone away.
        job = asyncio.get_running_loop().run_in_executor(self._threads, work)
        job.add_done_callback(self._count_down)
        return await asyncio.shield(job)

    def _count_down(self, _: asyncio.Future[Answer]) -> None:
        self._under_way -= 1


def _stand_back() -> None:
    """Let the threads that hash yield to the one that answers, where the system has the means."""
    if hasattr(os, "setpriority"):
        # On Linux the priority is of the thread alone (setpriority(2)).
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), HASH_NICENESS)


def hashes_at_once() -> int:
    """Return how many hashes are made at a time: a core is left for all that asks for none."""
    return max(1, _available_cores() - 1)


def _available_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def is_bounded(stored: str) -> bool:
    """Say whether the hash is an Argon2id one that asks for a reasonable effort."""
    try:
        asked = argon2.from_string(stored)
    except ValueError:
        return False
    return (
        asked.type == "id"
        and asked.memory_cost <= MAX_MEMORY_KIB
        and asked.rounds <= MAX_TIME_COST
        and asked.parallelism <= MAX_PARALLELISM
    )
