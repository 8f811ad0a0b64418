"""Render a message in the reader's language, and send it."""

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Self
from urllib.parse import unquote, urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

import aiosmtplib
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from citizen_account.domain.errands import Mail
from citizen_account.domain.transactions import require_no_transaction
from citizen_account.i18n import Speech, Translations

SMTP_SECONDS = 20
PROBE_SECONDS = 5
_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
# RFC 5321 section 4.2.1: a reply of 5yz is permanent. These three say: no such mailbox.
_NO_SUCH_MAILBOX = frozenset({550, 551, 553})


class UndeliverableError(Exception):
    """The mail server says for good that nobody has this address."""


class MailServerError(Exception):
    """The mail server is away or refuses for now: the message is tried again."""


@dataclass(frozen=True, slots=True)
class SmtpAddress:
    """Where mail is handed over: `smtp://`, `smtp+starttls://` or `smtps://user:password@host:port`."""

    host: str
    port: int
    user: str | None
    password: str | None
    is_tls: bool
    is_starttls: bool

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read the setting. Raises: ValueError for another scheme or a missing host."""
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError("CITIZEN_SMTP_URL must begin with smtp, smtp+starttls or smtps")
        return cls(
            host=parts.hostname,
            port=parts.port or _PORTS[parts.scheme],
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            is_tls=parts.scheme == "smtps",
            is_starttls=parts.scheme == "smtp+starttls",
        )


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message in one language; the id is the errand's and becomes its Message-ID."""

    id: UUID
    to: str
    subject: str
    text: str
    html: str
    at: datetime


class Mailer:
    def __init__(  # noqa: PLR0913  # what a message is made of, each by its name
        self,
        *,
        folders: Sequence[Path],
        translations: Translations,
        issuer: str,
        city_name: str,
        sender: str,
        support: str,
        smtp: SmtpAddress | None,
    ) -> None:
        self._translations = translations
        self._issuer = issuer
        self._facts = {"city_name": city_name, "support": support}
        self._sender = sender
        self._smtp = smtp
        self._loader = FileSystemLoader(folders)
        self._spoken: dict[str, Environment] = {}

    def through(self, smtp: SmtpAddress) -> "Mailer":
        """Return the same with another mail server."""
        other = copy(self)
        other._smtp = smtp  # noqa: SLF001  # our own copy
        return other

    @property
    def is_development_mailbox(self) -> bool:
        return self._smtp is None

    def render(self, mail: Mail, *, message_id: UUID, at: datetime) -> Rendered:
        speech = self._translations.speech(mail.language)
        facts = self._context(speech, mail.facts)

        def part(name: str) -> str:
            template = self._environment_of(speech).get_template(f"email/{mail.name}/{name}")
            return template.render(facts)

        return Rendered(
            id=message_id,
            to=mail.to,
            # RFC 5322 section 2.2: a header field is one line.
            subject=" ".join(part("subject.txt").split()),
            text=part("body.txt"),
            html=part("body.html"),
            at=at,
        )

    async def send(self, message: Rendered) -> None:
        """Hand over to the mail server. Raises: UndeliverableError, MailServerError."""
        require_no_transaction()
        client = self._client(SMTP_SECONDS)
        try:
            async with client:
                await client.send_message(self._mime(message))
        except aiosmtplib.SMTPRecipientsRefused as refused:
            codes = {error.code for error in refused.recipients}
            if codes <= _NO_SUCH_MAILBOX:
                raise UndeliverableError("the mail server knows no such mailbox") from None
            raise MailServerError(f"recipient refused for now: {sorted(codes)}") from None
        except (aiosmtplib.SMTPException, OSError) as error:
            raise MailServerError(type(error).__name__) from None

    async def probe(self) -> bool:
        """Say hello to the mail server as before a message; return whether TLS covers it.

        Raises: MailServerError.
        """
        client = self._client(PROBE_SECONDS)
        try:
            async with client:
                return client.get_transport_info("ssl_object") is not None
        except (aiosmtplib.SMTPException, OSError) as error:
            raise MailServerError(type(error).__name__) from None

    def _client(self, seconds: float) -> aiosmtplib.SMTP:
        if self._smtp is None:
            raise MailServerError("no mail server is configured")
        return aiosmtplib.SMTP(
            hostname=self._smtp.host,
            port=self._smtp.port,
            username=self._smtp.user,
            password=self._smtp.password,
            use_tls=self._smtp.is_tls,
            start_tls=True if self._smtp.is_starttls else None,
            timeout=seconds,
        )

    def _mime(self, message: Rendered) -> EmailMessage:
        mime = EmailMessage()
        mime["From"] = Address(self._facts["city_name"], addr_spec=self._sender)
        mime["To"] = message.to
        mime["Subject"] = message.subject
        mime["Date"] = format_datetime(message.at.astimezone(ZoneInfo("UTC")))
        mime["Message-ID"] = f"<{message.id}@{urlsplit(self._issuer).hostname}>"
        # RFC 3834 section 5: no automatic reply is wanted.
        mime["Auto-Submitted"] = "auto-generated"
        mime.set_content(message.text)
        mime.add_alternative(message.html, subtype="html")
        return mime

    def _context(self, speech: Speech, facts: Mapping[str, str]) -> dict[str, str]:
        about = {"language": speech.language, "account_url": f"{self._issuer}/{speech.language}/"}
        return {**self._facts, **about, "issuer": self._issuer, **facts}

    def _environment_of(self, speech: Speech) -> Environment:
        """Return a language's own environment: overlays would share their translations."""
        if speech.language not in self._spoken:
            spoken = Environment(
                loader=self._loader,
                # The subject and the plain text are no HTML; the same facts stand in both.
                autoescape=lambda name: name is not None and name.endswith(".html"),  # noqa: S701  # by the kind of the part
                undefined=StrictUndefined,
                extensions=["jinja2.ext.i18n"],
                trim_blocks=True,
                lstrip_blocks=True,
                auto_reload=False,
            )
            spoken.policies["ext.i18n.trimmed"] = True
            spoken.install_gettext_callables(  # type: ignore[attr-defined]  # put there by the extension
                speech.gettext, speech.ngettext, newstyle=True
            )
            self._spoken[speech.language] = spoken
        return self._spoken[speech.language]
