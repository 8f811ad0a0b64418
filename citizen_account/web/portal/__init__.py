"""The pages a resident sees."""

from citizen_account.web.portal import dashboard, information, messages

ROUTERS = (
    dashboard.router,
    information.router,
    messages.router,
)
