"""Seal a stream piece by piece, so that a cut, moved or altered piece is noticed."""

import hmac
import os
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MAGIC = b"citizen-account sealed stream 1\n"
PIECE_BYTES = 64 * 1024
_SALT_BYTES = 32
_KEY_BYTES = 32
_SIGN_BYTES = 8
_TAG_BYTES = 16
_COUNTER_BYTES = 11


class StreamError(Exception):
    """The stream was altered, cut short or extended, or sealed with another key; says which."""


class SealingWriter:
    """Write a stream that only the holder of the secret can read or have written.

    The construction is STREAM (Hoang, Reyhanitabar, Rogaway, Vizár 2015) with AES-256-GCM: the
    nonce of a piece is its number and whether it is the last one, the key is the file's own.
    """

    def __init__(self, target: BinaryIO, secret: str) -> None:
        salt = os.urandom(_SALT_BYTES)
        keys = _keys(secret, salt)
        target.write(MAGIC + salt + keys.sign)
        self._target = target
        self._cipher = keys.cipher
        self._held = bytearray()
        self._count = 0

    def write(self, plain: bytes) -> None:
        self._held += plain
        # Of a full buffer it is not known yet whether it is the last one.
        while len(self._held) > PIECE_BYTES:
            self._emit(bytes(self._held[:PIECE_BYTES]), is_last=False)
            del self._held[:PIECE_BYTES]

    def finish(self) -> None:
        """Write the last piece: a stream without it is refused as cut short."""
        self._emit(bytes(self._held), is_last=True)

    def _emit(self, plain: bytes, *, is_last: bool) -> None:
        nonce = _nonce(self._count, is_last=is_last)
        self._target.write(self._cipher.encrypt(nonce, plain, MAGIC))
        self._count += 1


def open_stream(source: BinaryIO, secret: str) -> Iterator[bytes]:
    """Yield what was written, piece by piece; each is genuine, the whole is once it has ended.

    Raises: StreamError.
    """
    magic, salt = source.read(len(MAGIC)), source.read(_SALT_BYTES)
    sign = source.read(_SIGN_BYTES)
    if magic != MAGIC or len(sign) != _SIGN_BYTES:
        raise StreamError("it is no sealed stream of this kind")
    keys = _keys(secret, salt)
    if not hmac.compare_digest(sign, keys.sign):
        raise StreamError("it was sealed with another key")
    piece, count = _read_piece(source), 0
    while True:
        following = _read_piece(source)
        try:
            nonce = _nonce(count, is_last=not following)
            yield keys.cipher.decrypt(nonce, piece, MAGIC)
        except (InvalidTag, ValueError):
            raise StreamError("it was altered or cut short") from None
        if not following:
            return
        piece, count = following, count + 1


class _Keys(NamedTuple):
    cipher: AESGCM
    sign: bytes
    """Tells the right secret from a wrong one, and nothing else."""


def _keys(secret: str, salt: bytes) -> _Keys:
    info = b"citizen-account sealed stream"
    kdf = HKDF(SHA256(), length=_KEY_BYTES + _SIGN_BYTES, salt=salt, info=info)
    derived = kdf.derive(secret.encode())
    return _Keys(AESGCM(derived[:_KEY_BYTES]), derived[_KEY_BYTES:])


def _read_piece(source: BinaryIO) -> bytes:
    return source.read(PIECE_BYTES + _TAG_BYTES)


def _nonce(count: int, *, is_last: bool) -> bytes:
    return count.to_bytes(_COUNTER_BYTES, "big") + bytes([is_last])
