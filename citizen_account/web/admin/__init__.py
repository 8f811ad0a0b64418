"""The pages of the city's administrators."""

from citizen_account.web.admin import connectors, outbox, overview, services, trail

ROUTERS = (
    overview.router,
    services.router,
    connectors.router,
    outbox.router,
    trail.router,
)
