"""Hash and verify passwords with Argon2id, in worker threads and with a bounded queue."""

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

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


class Place:
    """A place in the queue: who holds it is not sent away any more."""

    def __init__(self, context: CryptContext, threads: Executor, nobodys: str) -> None:
        self._context = context
        self._threads = threads
        self._nobodys = nobodys
        self._job: asyncio.Future[Any] | None = None  # Any: a hash or a yes

    async def hash(self, password: str) -> str:
        """Return what may be stored."""
        plain = normalise_password(password)
        return await self._run(lambda: str(self._context.hash(plain)))

    async def verify(self, password: str, stored: str | None) -> Verdict:
        """Compare; None stands for an unknown account and takes as long."""
        # NIST SP 800-63B-4 and OWASP ASVS 5.0 6.3.8: a stranger cannot tell unknown from wrong.
        target = stored if stored is not None and is_bounded(stored) else self._nobodys
        # An impossible password costs the same as a wrong one, and nothing by its length.
        plain = normalise_password(password) if is_hashable(password) else ""
        is_match = await self._run(lambda: bool(self._context.verify(plain, target)))
        if not is_match or target is self._nobodys:
            return Verdict(is_right=False)
        return Verdict(is_right=True, is_outdated=bool(self._context.needs_update(target)))

    def leave(self, free: Callable[[], None]) -> None:
        """Free the place when its thread is done, not when the visitor has gone away."""
        if self._job is None or self._job.done():
            free()
        else:
            self._job.add_done_callback(lambda _: free())

    async def _run(self, work: Callable[[], Answer]) -> Answer:
        job = self._job = asyncio.get_running_loop().run_in_executor(self._threads, work)
        return await asyncio.shield(job)


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
        at_once = at_once or hashes_at_once()
        self._places = at_once + QUEUE
        self._threads = ThreadPoolExecutor(
            at_once, thread_name_prefix="hash", initializer=_stand_back
        )
        self._under_way = 0
        self._nobodys = self._context.hash(new_secret())

    @property
    def under_way(self) -> int:
        """How many are hashed, wait for it, or are about to."""
        return self._under_way

    @contextmanager
    def place(self) -> Iterator[Place]:
        """Lend a place, before anything is done for who comes. Raises: too_busy."""
        if self._under_way >= self._places:
            raise DomainError(ErrorCode.TOO_BUSY, retry_after=RETRY_AFTER_SECONDS)
        self._under_way += 1
        place = Place(self._context, self._threads, self._nobodys)
        try:
            yield place
        finally:
            place.leave(self._count_down)

    async def hash(self, password: str) -> str:
        """Return what may be stored. Raises: too_busy."""
        with self.place() as place:
            return await place.hash(password)

    def _count_down(self) -> None:
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
