"""JWTs that a good key has signed, each with one thing in it that a careless reader falls over."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from typing import Any

from joserfc.jws import JWSRegistry

from tests.proofs import SigningKey

Members = Mapping[str, Any]  # Any: of each type
Written = tuple[bytes, bytes]
Change = Callable[[Members, Members], Written]
DEEP = 990
DEEPER = 5_000
HUGE = 10**400


def sign(
    change: Change, header: Members, claims: Members, key: SigningKey, algorithm: str = "ES256"
) -> str:
    """Return the JWT with the change made to it; the signature is good."""
    parts = [_encode(part) for part in change({"alg": algorithm, **header}, claims)]
    signed = b".".join(parts)
    signature = JWSRegistry.algorithms[algorithm].sign(signed, key)
    return b".".join([signed, _encode(signature)]).decode()


def _encode(raw: bytes) -> bytes:
    return urlsafe_b64encode(raw).rstrip(b"=")


def _header(**members: object) -> Change:
    return lambda header, claims: (_json({**header, **members}), _json(claims))


def _claims(**members: object) -> Change:
    return lambda header, claims: (_json(header), _json({**claims, **members}))


def _with(text: str) -> Change:
    """Write a member as JSON that Python would not write."""
    return lambda header, claims: (_json(header), _json(claims)[:-1] + f", {text}}}".encode())


def _header_with(text: str) -> Change:
    return lambda header, claims: (_json(header)[:-1] + f", {text}}}".encode(), _json(claims))


def _whole(raw: bytes) -> Change:
    return lambda header, _: (_json(header), raw)


def _json(members: Members) -> bytes:
    return json.dumps(members).encode()


def _nest(depth: int) -> str:
    return f'"nest": {"[" * depth}{"]" * depth}'


def unchanged(header: Members, claims: Members) -> Written:
    return _json(header), _json(claims)


CHANGES: Mapping[str, Change] = {
    # RFC 7515 section 4.1.11.
    "crit null": _header(crit=None),
    "crit a number": _header(crit=5),
    "crit true": _header(crit=True),
    "crit empty": _header(crit=[]),
    "crit of numbers": _header(crit=[5]),
    "crit of objects": _header(crit=[{}]),
    "crit of lists": _header(crit=[["exp"]]),
    "crit unknown": _header(crit=["http://example.com/UNDEFINED"]),
    # RFC 7797: an unencoded payload.
    "crit b64": _header(crit=["b64"], b64=False),
    "alg a list": _header(alg=["ES256"]),
    "alg an object": _header(alg={}),
    "alg null": _header(alg=None),
    "kid an object": _header(kid={}),
    "kid a list": _header(kid=[]),
    "kid half a character": _header(kid="\ud800"),
    "header twice": _header_with('"alg": "ES256"'),
    "header nested": _header_with(_nest(DEEP)),
    "header nested deeper": _header_with(_nest(DEEPER)),
    "header NaN": _header_with('"x": NaN'),
    # RFC 7493, by which the claims are read.
    "claim twice": _with('"x": 1, "x": 1'),
    "claims nested": _with(_nest(DEEP)),
    "claims nested deeper": _with(_nest(DEEPER)),
    "NaN": _with('"x": NaN'),
    "a number too long": _with(f'"x": {"9" * 6000}'),
    "a character that is none": _claims(x="\ud800"),
    "NUL": _claims(x="a\0b"),
    "jti half a character": _claims(jti="\ud800"),
    "jti with NUL": _claims(jti="a\0b"),
    "a list": _whole(b"[]"),
    "no JSON": _whole(b"{"),
    "no UTF-8": _whole(b'{"sub": "\xff"}'),
    "nothing": _whole(b""),
    **{
        f"{claim} {value!r:.9}": _claims(**{claim: value})
        for claim in ("exp", "nbf", "iat")
        for value in (HUGE, -HUGE, float("nan"), float("inf"), float("-inf"))
    },
}
