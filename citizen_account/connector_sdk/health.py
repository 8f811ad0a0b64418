"""Turn a trial call into a word about health."""

from collections.abc import Awaitable

from citizen_account.connector_sdk.errors import (
    ConnectorError,
    Gone,
    Misconfigured,
    RateLimited,
    Refused,
)
from citizen_account.connector_sdk.models import Condition, Health


async def probe(call: Awaitable[object]) -> Health:
    """Await a harmless call and say how it went: what the operator must mend is misconfigured.

    A missing or refused resource counts as such too: a trial call asks for what must exist.

    >>> import asyncio
    >>> asyncio.run(probe(asyncio.sleep(0))).condition
    <Condition.OK: 'ok'>
    """
    try:
        await call
    except (Misconfigured, Gone, Refused) as error:
        return Health(Condition.MISCONFIGURED, str(error))
    except RateLimited as error:
        return Health(Condition.DEGRADED, str(error))
    except ConnectorError as error:
        return Health(Condition.DOWN, str(error))
    return Health(Condition.OK)
