"""Answer /register (RFC 7591, OIDC Registration 1.0) and a client's own address below it (7592)."""

from collections.abc import Mapping
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from citizen_account.bootstrap import Runtime
from citizen_account.connector_sdk.reading import UnreadableError, parse_json
from citizen_account.domain.clients import ClientId
from citizen_account.domain.errors import DomainError, ErrorCode
from citizen_account.openid.registration import Surroundings
from citizen_account.openid.responses import Refused
from citizen_account.openid.self_registration import describe
from citizen_account.security.tokens import new_id, new_secret
from citizen_account.usecases.registration import (
    Registered,
    Rules,
    change_client,
    check_sector_of,
    find_registered,
    open_door,
    read_changed,
    read_new,
    register_client,
    remove_client,
    show_registered,
)
from citizen_account.web.dependencies import runtime_of
from citizen_account.web.oidc.answers import send_json
from citizen_account.web.requests import client_address, read_body

JSON_TYPE = "application/json"
Metadata = Mapping[str, object]


async def registration(request: Request) -> Response:
    """Register the client that describes itself."""
    runtime = runtime_of(request)
    metadata = await _metadata(request)
    rules, token = _rules(runtime), _bearer(request)
    async with runtime.database.begin() as uow:
        refused = await open_door(uow, rules, token, client_address(request, runtime))
    if refused is not None:
        return _send_refusal(refused)
    described = read_new(metadata, rules, _surroundings(runtime, str(new_id())))
    found = await check_sector_of(described, runtime.outbound)
    if isinstance(found, Refused):
        return _send_refusal(found)
    async with runtime.database.begin() as uow:
        outcome = await register_client(uow, rules, found, token)
    return _send(runtime, outcome, HTTPStatus.CREATED)


async def client_configuration(request: Request) -> Response:
    """Show, change or end the registration of the client whose token it is."""
    client_id = ClientId(request.path_params["client_id"])
    match request.method:
        case "PUT":
            return await _change(request, client_id)
        case "DELETE":
            return await _remove(request, client_id)
        case _:
            return await _show(request, client_id)


async def _show(request: Request, client_id: ClientId) -> Response:
    runtime, token = runtime_of(request), _bearer(request)
    async with runtime.database.read() as uow:
        outcome = await show_registered(uow, client_id, token)
    # OIDC Registration section 4.3: the secret need not be told again; only its digest is here.
    return _send(runtime, outcome, HTTPStatus.OK)


async def _change(request: Request, client_id: ClientId) -> Response:
    runtime, token, rules = runtime_of(request), _bearer(request), _rules(runtime_of(request))
    metadata = await _metadata(request)
    async with runtime.database.read() as uow:
        previous = await find_registered(uow, client_id, token)
    if isinstance(previous, Refused):
        return _send_refusal(previous)
    described = read_changed(metadata, rules, _surroundings(runtime, client_id), previous)
    found = await check_sector_of(described, runtime.outbound)
    if isinstance(found, Refused):
        return _send_refusal(found)
    async with runtime.database.begin() as uow:
        outcome = await change_client(uow, rules, found, token or "")
    return _send(runtime, outcome, HTTPStatus.OK)


async def _remove(request: Request, client_id: ClientId) -> Response:
    async with runtime_of(request).database.begin() as uow:
        refused = await remove_client(uow, client_id, _bearer(request))
    if refused is not None:
        return _send_refusal(refused)
    # RFC 7592 section 2.3.
    return Response(status_code=HTTPStatus.NO_CONTENT, headers={"Cache-Control": "no-store"})


async def _metadata(request: Request) -> Metadata:
    """Return the object that was sent. Raises: content_type_unsupported, request_malformed."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != JSON_TYPE:
        raise DomainError(ErrorCode.CONTENT_TYPE_UNSUPPORTED)
    try:
        read = parse_json(await read_body(request))
    except UnreadableError:
        raise DomainError(ErrorCode.REQUEST_MALFORMED) from None
    if not isinstance(read, dict):
        raise DomainError(ErrorCode.REQUEST_MALFORMED)
    return read


def _bearer(request: Request) -> str | None:
    # RFC 6750 section 2.1. A token in the address or in the body is never looked at.
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def _rules(runtime: Runtime) -> Rules:
    return Rules(runtime.registration, runtime.is_development, runtime.mutual_tls)


def _surroundings(runtime: Runtime, client_id: str) -> Surroundings:
    return Surroundings(
        runtime.is_development, client_id, new_secret(), runtime.clock(), runtime.mutual_tls
    )


def _send(runtime: Runtime, outcome: Registered | Refused, status: HTTPStatus) -> Response:
    if isinstance(outcome, Refused):
        return _send_refusal(outcome)
    return send_json(_body(runtime, outcome), status)


def _body(runtime: Runtime, registered: Registered) -> dict[str, object]:
    client = registered.client
    body = describe(client)
    if registered.reason:
        body["registration_reason"] = registered.reason
    # RFC 7592 section 3: where the client finds itself, and the key to it.
    body["registration_client_uri"] = f"{runtime.issuer}/register/{client.id}"
    body["registration_access_token"] = registered.registration_token
    if registered.client_secret is not None:
        body["client_secret"] = registered.client_secret
        body["client_secret_expires_at"] = 0
    return body


def _send_refusal(refused: Refused) -> Response:
    status, body, headers = refused.error()
    return send_json(body, status, dict(headers))
