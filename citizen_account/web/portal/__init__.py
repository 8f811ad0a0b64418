"""The pages a resident sees."""

from citizen_account.web.portal import (
    cases,
    confirmation,
    dashboard,
    email_change,
    information,
    link,
    messages,
    profile,
    recover,
    register,
    security,
    services,
    sign_in,
    upstream_identities,
    upstream_sign_in,
)

ROUTERS = (
    confirmation.router,
    cases.router,
    dashboard.router,
    email_change.router,
    information.router,
    link.router,
    messages.router,
    profile.router,
    recover.router,
    register.router,
    security.router,
    services.router,
    sign_in.router,
    upstream_identities.router,
    upstream_sign_in.callback_router,
    upstream_sign_in.router,
)
