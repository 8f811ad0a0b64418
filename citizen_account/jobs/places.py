"""Fetch what the city's public sources say, for everybody at once."""

from datetime import UTC

from citizen_account.bootstrap import Runtime
from citizen_account.connector_host.codec import encode_places
from citizen_account.connector_host.outcomes import Failed, Fetched


async def refresh_places(runtime: Runtime) -> None:
    """Ask every connector that knows places; none without the city's position."""
    position = runtime.city.position
    if position is None:
        return
    around = (position.latitude, position.longitude)
    for connector_id, manifest in runtime.connectors.manifests.items():
        if "places" not in manifest.capabilities:
            continue
        outcome = await runtime.connectors.places_near(
            connector_id, around, runtime.city.radius_metres
        )
        async with runtime.database.begin() as uow:
            match outcome:
                case Fetched(answer):
                    payload = encode_places(answer.records)
                    await uow.places.save(connector_id, payload, answer.as_of.astimezone(UTC))
                case Failed():
                    await uow.places.note_failure(connector_id, uow.now)
