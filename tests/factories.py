"""Build what tests start from: the settings of an invented city, its residents and services."""

import hashlib
import re
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from citizen_account.bootstrap import Runtime
from citizen_account.jobs.worker import Worker
from citizen_account.settings import Settings
from citizen_account.storage.mailbox import Letter

ISSUER = "https://account.city.example"
REDIRECT_URI = "https://library.example/callback"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
PASSWORD = "four invented words 1"


@dataclass
class Clock:
    """A clock that a test sets forward."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now


def environment(database_url: str, **changes: str) -> dict[str, str]:
    """Return the variables of a city in development, without their prefix, in lower case."""
    return {
        "issuer": ISSUER,
        "database_url": database_url,
        "secret_key": "an invented key that derives the others",
        "data_key": "an-invented-key-that-seals-the-columns",
        "environment": "development",
        "city_name": "Dunajské Mesto",
        "support_email": "help@city.example",
        "support_phone": "+421 2 000 0000",
        # Hashes are as weak as Argon2 allows: tests make hundreds.
        "argon2_memory_kib": "8",
        "argon2_time_cost": "1",
        **changes,
    }


def settings_for(database_url: str, **changes: str) -> Settings:
    """Return the settings of one city, whatever the environment of the test run says."""
    return Settings.model_validate(environment(database_url, **changes))


async def work_off(runtime: Runtime) -> int:
    """Do what the worker would do now; return how many errands it ran."""
    return await Worker(runtime).work_off()


async def mailbox(runtime: Runtime) -> Sequence[Letter]:
    """Return the mail of the city, newest first, after sending what waits to be sent."""
    await work_off(runtime)
    async with runtime.database.read() as uow:
        return await uow.mailbox.newest()


def code_in(letter: Letter) -> str:
    """Return the six digits that a message holds."""
    return code_in_text(letter.text)


def code_in_text(text: str) -> str:
    [code] = set(re.findall(r"(?<!\d)\d{6}(?!\d)", text))
    return str(code)
