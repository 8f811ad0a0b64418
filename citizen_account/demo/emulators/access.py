"""Hold the keys of the small city's systems and look at those that a caller shows."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from starlette.requests import Request

from citizen_account.demo.city_facts import HOUSING, MOBILITY, PERMITS

# Open Zaak's own limit (JWT_EXPIRY), with room for clocks that differ.
JWT_LIFETIME = timedelta(hours=1)
JWT_LEEWAY = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Access:
    """What the operator of the account was given by the operators of these systems."""

    zgw_client_id: str = "citizen-account"
    zgw_secret: str = "small-city-zgw-secret-of-no-worth-outside"  # noqa: S105 - protects invented facts
    vera_key: str = "small-city-vera-key-of-no-worth-outside"
    parking_key: str = "small-city-parking-key-of-no-worth-outside"

    def service_of(self, request: Request, now: datetime) -> str:
        """Return the service whose key the caller shows; empty when he shows none that fits."""
        if self.opens_zgw(request, now):
            return PERMITS
        if self.opens_vera(request):
            return HOUSING
        if self.opens_parking(request):
            return MOBILITY
        return ""

    def opens_vera(self, request: Request) -> bool:
        return _is_equal(request.headers.get("x-api-key", ""), self.vera_key)

    def opens_parking(self, request: Request) -> bool:
        shown = request.headers.get("x-api-key") or _bearer(request)
        return _is_equal(shown, self.parking_key)

    def opens_zgw(self, request: Request, now: datetime) -> bool:
        """Check the client's token: HS256, our client id, issued within the last hour."""
        try:
            key = OctKey.import_key(self.zgw_secret)
            claims = jwt.decode(_bearer(request), key, algorithms=["HS256"]).claims
        except (JoseError, ValueError):
            return False
        issued_at = claims.get("iat")
        if not isinstance(issued_at, int) or claims.get("client_id") != self.zgw_client_id:
            return False
        age = now.timestamp() - issued_at
        return -JWT_LEEWAY.total_seconds() <= age <= (JWT_LIFETIME + JWT_LEEWAY).total_seconds()


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else ""


def _is_equal(given: str, expected: str) -> bool:
    return compare_digest(given.encode(errors="replace"), expected.encode())
