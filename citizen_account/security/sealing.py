"""Seal personal columns and signing keys, and derive the keys that never rotate."""

import base64
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from citizen_account.security.tokens import keyed_digest

_NONCE_BYTES = 12
_KEY_ID_BYTES = 4
_VERSION = b"\x01"
_OVERHEAD = len(_VERSION) + _KEY_ID_BYTES + _NONCE_BYTES


class UnsealableError(Exception):
    """The sealed value was altered, moved to another place, or sealed by a key that is gone."""


def derive(secret: str, purpose: str) -> bytes:
    """Return 32 bytes for one purpose (HKDF, RFC 5869)."""
    kdf = HKDF(SHA256(), length=32, salt=None, info=f"citizen-account {purpose}".encode())
    return kdf.derive(secret.encode())


@dataclass(frozen=True, slots=True)
class DerivedKeys:
    """What `SECRET_KEY` stands for. Changing it is a migration: indexes and subjects hang on it."""

    form: bytes
    index: bytes
    pairwise: bytes
    nonce: bytes

    @classmethod
    def of(cls, secret: str) -> "DerivedKeys":
        purposes = ("form", "index", "pairwise", "nonce")
        return cls(*(derive(secret, purpose) for purpose in purposes))


class Sealer:
    """Seal with the newest key of a ring, open with whichever key sealed (AES-256-GCM).

    The context is authenticated with the value: a sealed column cannot be moved to another row.
    """

    def __init__(self, keys: Sequence[str], index_key: bytes) -> None:
        ring = [derive(key, "data") for key in keys]
        self._newest = _key_id(ring[0])
        self._ring = {_key_id(key): AESGCM(key) for key in ring}
        self._index_key = index_key

    def seal(self, plain: bytes, context: str) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ring[self._newest].encrypt(nonce, plain, context.encode())
        return _VERSION + self._newest + nonce + sealed

    def open(self, sealed: bytes, context: str) -> bytes:
        """Return what was sealed. Raises: UnsealableError."""
        key_id = sealed[len(_VERSION) : len(_VERSION) + _KEY_ID_BYTES]
        nonce = sealed[len(_VERSION) + _KEY_ID_BYTES : _OVERHEAD]
        cipher = self._ring.get(key_id)
        if cipher is None or sealed[: len(_VERSION)] != _VERSION:
            raise UnsealableError(context)
        try:
            return cipher.decrypt(nonce, sealed[_OVERHEAD:], context.encode())
        except InvalidTag:
            raise UnsealableError(context) from None

    def is_newest(self, sealed: bytes) -> bool:
        """Say whether the newest key sealed it; otherwise it is due to be sealed again."""
        return sealed[len(_VERSION) : len(_VERSION) + _KEY_ID_BYTES] == self._newest

    def index(self, value: str, kind: str) -> bytes:
        """Return a blind index: equal values of a kind meet, and nobody reads them back."""
        return keyed_digest(self._index_key, kind, value)

    def reference(self, *parts: str) -> str:
        """Return 16 characters of base32: a connector's pairwise reference for a resident."""
        short = keyed_digest(self._index_key, "reference", *parts)[:10]
        return base64.b32encode(short).decode()


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"key id" + key).digest()[:_KEY_ID_BYTES]
