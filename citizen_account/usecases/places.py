"""Show public places near home, from what their sources last said."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from citizen_account.connector_host.codec import decode_places
from citizen_account.connector_sdk.models import Place
from citizen_account.domain.accounts import AccountId
from citizen_account.domain.errors import DomainError, ErrorCode
from citizen_account.domain.places import OLD, Home, Position, metres_between
from citizen_account.storage.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class NearPlace:
    place: Place
    metres: int | None
    """From the place near home; None until one is chosen."""


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    home: Home | None
    places: Sequence[NearPlace]
    as_of: datetime | None
    failing_since: datetime | None


async def show_neighbourhood(uow: UnitOfWork, account_id: AccountId) -> Neighbourhood:
    """List the places, the nearest to home first, by name until a home is chosen."""
    home = await uow.places.home_of(account_id)
    snapshots = await uow.places.all()
    near = [
        NearPlace(place, _distance(home, place))
        for snapshot in snapshots
        for place in decode_places(snapshot.payload)
    ]
    times = [one.as_of for one in snapshots if one.as_of is not None]
    failing = [one.failing_since for one in snapshots if one.failing_since is not None]
    return Neighbourhood(
        home=home,
        places=sorted(near, key=lambda one: (one.metres or 0, str(one.place.name))),
        as_of=min(times, default=None),
        # A connector may go on answering with what it read long ago.
        failing_since=min([*failing, *(at for at in times if uow.now - at > OLD)], default=None),
    )


async def choose_home(uow: UnitOfWork, account_id: AccountId, place_id: str) -> None:
    """Remember the place as the one near home. Raises: not_found."""
    known = await show_neighbourhood(uow, account_id)
    place = next((one.place for one in known.places if one.place.id == place_id), None)
    if place is None:
        raise DomainError(ErrorCode.NOT_FOUND)
    await uow.places.save_home(account_id, Home(place.id, Position(place.lat, place.lon)))


def _distance(home: Home | None, place: Place) -> int | None:
    if home is None:
        return None
    return metres_between(home.position, Position(place.lat, place.lon))
