"""The pages a resident sees."""

from citizen_account.web.portal import (
    cases,
    confirmation,
    dashboard,
    information,
    link,
    messages,
    services,
    upstream_identities,
    upstream_sign_in,
)

ROUTERS = (
    confirmation.router,
    cases.router,
    dashboard.router,
    information.router,
    link.router,
    messages.router,
    services.router,
    upstream_identities.router,
    upstream_sign_in.callback_router,
    upstream_sign_in.router,
)
