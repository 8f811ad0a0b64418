"""Serve the static files from memory: compressed once, and kept by browsers for ever."""

import gzip
import mimetypes
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256, sha384
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

PREFIX = "/static"
VERSION_CHARACTERS = 12
COMPRESSIBLE = frozenset({"text/css", "text/javascript", "image/svg+xml", "application/json"})
TYPES = {".js": "text/javascript", ".woff2": "font/woff2", ".svg": "image/svg+xml"}
# The version in the address is a digest of every file: the same address is always the same file.
CACHED_FOR_EVER = "public, max-age=31536000, immutable"
CACHED_BRIEFLY = "public, max-age=60"


@dataclass(frozen=True, slots=True)
class StaticFile:
    body: bytes
    compressed: bytes | None
    media_type: str
    integrity: str
    """For the `integrity` attribute of a link (Subresource Integrity section 3.5)."""


class StaticFiles:
    """An ASGI application for `/static/<version>/<path>`."""

    def __init__(self, *folders: Path) -> None:
        """Look in the folders in turn, so that a city's own file hides ours."""
        self.files: Mapping[str, StaticFile] = {
            path.relative_to(folder).as_posix(): _read(path)
            for folder in reversed(folders)
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        bodies = (name.encode() + self.files[name].body for name in sorted(self.files))
        self.version = sha256(b"\0".join(bodies)).hexdigest()[:VERSION_CHARACTERS]

    def url(self, name: str) -> str:
        """Return the file's address. Raises: KeyError, so that a misspelt name fails in a test."""
        self.files[name]
        return f"{PREFIX}/{self.version}/{name}"

    def integrity(self, name: str) -> str:
        return self.files[name].integrity

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._answer(Request(scope))(scope, receive, send)

    def _answer(self, request: Request) -> Response:
        if request.method not in {"GET", "HEAD"}:
            return Response(status_code=405, headers={"Allow": "GET, HEAD"})
        version, _, name = request.url.path.removeprefix(f"{PREFIX}/").partition("/")
        file = self.files.get(name)
        if file is None:
            return Response("Not found\n", 404, media_type="text/plain")
        cached = CACHED_FOR_EVER if version == self.version else CACHED_BRIEFLY
        headers = {"Cache-Control": cached, "X-Content-Type-Options": "nosniff"}
        if file.compressed is None:
            return Response(file.body, media_type=file.media_type, headers=headers)
        headers["Vary"] = "Accept-Encoding"
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(file.body, media_type=file.media_type, headers=headers)
        headers["Content-Encoding"] = "gzip"
        return Response(file.compressed, media_type=file.media_type, headers=headers)


def _read(path: Path) -> StaticFile:
    body = path.read_bytes()
    media_type = TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "text/plain"
    return StaticFile(
        body=body,
        compressed=gzip.compress(body, 9, mtime=0) if media_type in COMPRESSIBLE else None,
        media_type=media_type,
        integrity=f"sha384-{b64encode(sha384(body).digest()).decode()}",
    )
