"""The pages of the city's administrators."""

from citizen_account.web.admin import (
    connectors,
    outbox,
    overview,
    registrations,
    services,
    sign_outs,
    trail,
)

ROUTERS = (
    overview.router,
    services.router,
    sign_outs.router,
    registrations.router,
    connectors.router,
    outbox.router,
    trail.router,
)
