"""Say where a browser may be sent after it has signed in: places of ours only."""

import re
from urllib.parse import urlencode

MAX_CHARACTERS = 500
# A path of ours begins with a language, or is the administrators' area. Two slashes or a backslash
# would name another host (OWASP ASVS 5.0 section 1.2.2); a control character splits a header.
_PLACE = re.compile(r"/(?:[a-z]{2}|admin)(?:/[A-Za-z0-9._~-]+)*/?(?:\?[A-Za-z0-9._~=&%+:,-]*)?")


def safe_place(value: str | None, default: str) -> str:
    """Return the place if it is one of ours, else the default."""
    if value is None or len(value) > MAX_CHARACTERS or not _PLACE.fullmatch(value):
        return default
    return value


def with_query(path: str, **facts: str | None) -> str:
    """Return the path with the facts that are given as its query."""
    asked = urlencode({name: value for name, value in facts.items() if value})
    return f"{path}?{asked}" if asked else path
