"""Run a program of ours where the times of the signing keys pass many times as fast.

In processes of their own alone: what they know of these times is changed before they begin. All
keep their proportions, so a lead that is too short for the caches is too short here as well.
"""

from datetime import timedelta

from citizen_account.domain import keys

PACE = 80
# The tokens of this city live ten minutes, so nothing waits for those that live an hour.
LONGEST_TOKEN = timedelta(minutes=10)
_BEGIN = "from tests.faults.hurried_keys import hurry; hurry(); "
UVICORN = ["-c", f"{_BEGIN}from uvicorn import main; main()"]
PROGRAM = ["-c", f"{_BEGIN}from citizen_account.cli import main; main()"]


def hurried(time: timedelta) -> float:
    """Return how many seconds of ours the time takes there."""
    return time.total_seconds() / PACE


def hurry() -> None:
    """Must come first: what the other modules have read of these times stays as it was."""
    keys.RING_CACHE /= PACE
    keys.JWKS_CACHE /= PACE
    keys.PUBLISH_LEAD /= PACE
    keys.RETIREMENT = retirement() / PACE


def retirement() -> timedelta:
    return keys.RETIREMENT - (keys.LONGEST_TOKEN - LONGEST_TOKEN)
