"""Describe the errors of the API, so that its document names every answer."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Problem(BaseModel):
    """Problem details (RFC 9457)."""

    model_config = ConfigDict(title="Problem")

    type: str = Field(description="urn:citizen-account:error:<code>")
    title: str
    status: int
    detail: str


Responses = Mapping[int | str, dict[str, Any]]  # Any: the shape that FastAPI prescribes


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:  # Any: as above
    """Return FastAPI's `responses` for the statuses, beside those that any request may meet."""
    return {
        status: {
            "model": Problem,
            "content": {"application/problem+json": {"schema": _REFERENCE}},
            "description": DESCRIPTIONS[status],
        }
        for status in sorted({*statuses, *EVERYWHERE})
    }


DESCRIPTIONS = {
    400: "The request could not be read.",
    401: "No token was sent, or it does not hold.",
    403: "The token does not open this.",
    404: "There is no such thing.",
    413: "The request is too large.",
    421: "The account does not live at this address.",
    503: "Too busy: try again after the seconds in Retry-After.",
}
EVERYWHERE = (400, 413, 421, 503)
_REFERENCE = {"$ref": "#/components/schemas/Problem"}
