"""Make random secrets and ids, and the digests that stand for secrets in the database."""

import hashlib
import hmac
import os
import secrets
import time
from uuid import UUID

SECRET_BYTES = 32
CODE_DIGITS = 6
_UNIX_MS_BITS = 48


def new_secret() -> str:
    """Return 256 random bits, URL-safe, 43 characters."""
    return secrets.token_urlsafe(SECRET_BYTES)


def new_code() -> str:
    """Return six random decimal digits, about 20 bits: for limited tries only."""
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"


def new_id() -> UUID:
    """Return a UUIDv7 (RFC 9562 section 5.7): ids sort by the millisecond of their birth."""
    milliseconds = time.time_ns() // 1_000_000 & ((1 << _UNIX_MS_BITS) - 1)
    value = milliseconds << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)


def new_request_id() -> str:
    """Return 128 random bits, 32 hexadecimal digits."""
    return os.urandom(16).hex()


def digest(secret: str) -> bytes:
    """Return what may be stored. A plain hash is enough: 256 random bits cannot be guessed."""
    return hashlib.sha256(secret.encode()).digest()


def is_secret_of(secret: str, stored_digest: bytes) -> bool:
    return hmac.compare_digest(digest(secret), stored_digest)


def keyed_digest(key: bytes, *parts: str) -> bytes:
    """Return HMAC-SHA-256 over the parts, kept apart by a character that none may hold."""
    return hmac.digest(key, "\x1f".join(parts).encode(), "sha256")


def form_token(key: bytes, browser_secret: str, action: str) -> str:
    """Return the value that a form must carry: bound to the browser and to where it is sent."""
    return keyed_digest(key, "form", browser_secret, action).hex()


def is_equal(given: str, expected: str) -> bool:
    """Compare in constant time; any text may be given, also one that is not ASCII."""
    return hmac.compare_digest(given.encode(errors="replace"), expected.encode())
