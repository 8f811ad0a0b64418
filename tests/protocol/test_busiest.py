"""The busiest addresses pass fewer layers than the others, and the guard all the same."""

import httpx2
import pytest
from starlette.routing import Route

from citizen_account.web.oidc import BUSIEST, ROUTES

ADDRESSES = sorted(BUSIEST)


@pytest.mark.parametrize(("method", "path"), ADDRESSES)
async def test_a_foreign_host_is_refused(http: httpx2.AsyncClient, method: str, path: str) -> None:
    """RFC 9110 section 7.4."""
    answer = await http.request(method, path, headers={"Host": "elsewhere.example"})
    assert answer.status_code in {400, 421}
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize(("method", "path"), ADDRESSES)
async def test_each_answer_has_the_guard_s_headers(
    http: httpx2.AsyncClient, method: str, path: str
) -> None:
    answer = await http.request(method, path)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert len(answer.headers.get_list("content-type")) == 1


@pytest.mark.parametrize(("method", "path"), ADDRESSES)
def test_each_stands_in_the_routes_as_well(method: str, path: str) -> None:
    [route] = [route for route in ROUTES if isinstance(route, Route) and route.path == path]
    assert route.endpoint is BUSIEST[method, path]
