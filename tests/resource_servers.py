"""Register an API of the city, and the client by whose credentials it introspects."""

from citizen_account.bootstrap import Runtime
from citizen_account.domain.resources import ResourceServer
from citizen_account.usecases.resources import import_resource
from tests.services import SECRET, register

PARKING = "https://parking.example/api"
PERMITS = "https://permits.example/api"
GRANT_TYPES = ["authorization_code", "refresh_token", "client_credentials"]
SCOPE = "openid email offline_access parking.read parking.write permits.read"


async def register_api(runtime: Runtime, **metadata: object) -> ResourceServer:
    """Register the parking API with its own client, then a change of it."""
    await register(
        runtime,
        client_id="parking",
        client_secret=SECRET,
        grant_types=[],
        redirect_uris=["https://parking.example/callback"],
        scope="openid",
    )
    described: dict[str, object] = {
        "resource": PARKING,
        "resource_name": {"en": "Parking", "sk": "Parkovanie"},
        "client_id": "parking",
        "scopes_supported": ["parking.read", "parking.write"],
    }
    asked = {name: text for name, text in {**described, **metadata}.items() if text is not None}
    async with runtime.database.begin() as uow:
        return await import_resource(uow, asked, runtime.issuer)
