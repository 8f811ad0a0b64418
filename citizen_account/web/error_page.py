"""The page that tells a person what went wrong and what to do now."""

from dataclasses import dataclass
from typing import ClassVar

from citizen_account.i18n import Message


@dataclass(frozen=True, slots=True)
class ErrorPage:
    template: ClassVar = "portal/error.html"
    code: str
    """Our stable code, or the OAuth error: what a caller can read to the support."""
    title: Message
    advice: Message
