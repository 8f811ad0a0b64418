"""Take what fits of a record: a member that is no use is as good as absent, and is noted."""

import logging
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Annotated, TypeVar

from pydantic import ValidationError, ValidationInfo, ValidatorFunctionWrapHandler, WrapValidator

from citizen_account.connector_sdk.http import Reply

T = TypeVar("T")
log = logging.getLogger("citizen_account.connectors")


def _or_none(
    value: object, handler: ValidatorFunctionWrapHandler, info: ValidationInfo
) -> object | None:
    try:
        return handler(value)  # type: ignore[no-any-return]  # pydantic hands back what it read
    except ValidationError as error:
        # The kind of fault only: what stood there may be personal.
        log.warning("connector_drift %s: %s", info.field_name, error.errors()[0]["type"])
        return None


Maybe = Annotated[T | None, WrapValidator(_or_none)]
"""A member that may be absent, null or of another type: then it is None.

>>> class Zaak(Said):
...     einddatum: Maybe[date] = None
>>> read(Zaak, {"einddatum": "soon"}).einddatum is None
True
"""


def said_at(reply: Reply, now: datetime) -> datetime:
    """Return when the source says it answered (RFC 9110 section 6.6.1), else now.

    A clock that runs ahead of ours is not believed: nothing is known from the future.
    """
    try:
        said = parsedate_to_datetime(reply.headers.get("Date", ""))
    except ValueError:
        return now
    return min(said.replace(tzinfo=said.tzinfo or UTC), now)
