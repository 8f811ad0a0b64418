"""The endpoints that relying parties call: plain Starlette routes, twice as fast as FastAPI's."""

from starlette.routing import Route

from citizen_account.web.oidc import logout as logout_pages
from citizen_account.web.oidc.authorize import authorize, continue_after_sign_in
from citizen_account.web.oidc.introspect import introspection
from citizen_account.web.oidc.logout import logout
from citizen_account.web.oidc.metadata import discovery, jwks
from citizen_account.web.oidc.par import par
from citizen_account.web.oidc.revoke import revocation
from citizen_account.web.oidc.token import token
from citizen_account.web.oidc.userinfo import userinfo

ROUTES = (
    Route("/.well-known/openid-configuration", discovery),
    Route("/.well-known/oauth-authorization-server", discovery),
    Route("/jwks", jwks),
    Route("/authorize", authorize, methods=["GET", "POST"]),
    Route("/authorize/continue", continue_after_sign_in),
    Route("/logout", logout, methods=["GET", "POST"]),
    Route("/par", par, methods=["POST"]),
    Route("/token", token, methods=["POST"]),
    Route("/userinfo", userinfo, methods=["GET", "POST"]),
    Route("/introspect", introspection, methods=["POST"]),
    Route("/revoke", revocation, methods=["POST"]),
)
ROUTERS = (logout_pages.router,)
