"""Look at what the account reaches: its own address from outside, mail, connectors."""

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from citizen_account.cli.doctor.findings import Line, Site, State, fail, ok, warn
from citizen_account.connector_host.outcomes import Failed
from citizen_account.connector_sdk.models import Condition
from citizen_account.mail import MailServerError
from citizen_account.outbound import trust

PATIENCE_SECONDS = 5
MOST_HEADER_BYTES = 32 * 1024
SOON = timedelta(days=21)
MOST_SKEW = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the account answered at its public address."""

    status: int
    headers: Mapping[str, str]
    certificate_ends_at: datetime


async def check_address(site: Site) -> Sequence[Line]:
    """Ask the account at its own address, through the proxy, as a resident does."""
    if not site.runtime.is_https:
        return []
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            answer = await _ask(site.settings.issuer, trust(site.settings.trusted_ca_file))
    except ssl.SSLCertVerificationError as error:
        return fail(
            f"The certificate of {site.settings.issuer} is not accepted: {error.verify_message}.",
            "Every browser and every service warns or refuses.",
            "Give the proxy a certificate for this name, with its chain; name an authority of"
            " your own in CITIZEN_TRUSTED_CA_FILE.",
        )
    except (OSError, ValueError) as error:
        return warn(
            f"{site.settings.issuer} was not reached from here ({type(error).__name__}).",
            "It may be so before the proxy runs, or where it cannot be reached from inside.",
            "Ask for /health/live there from outside.",
        )
    return [*_judge_certificate(answer), *_judge_headers(site, answer)]


async def check_mail(site: Site) -> Sequence[Line]:
    if site.runtime.mailer.is_development_mailbox:
        return [] if site.is_production else ok("Mail stays in the development mailbox.")
    try:
        is_sealed = await site.runtime.mailer.probe()
    except MailServerError as error:
        return fail(
            f"The mail server of CITIZEN_SMTP_URL does not take our mail ({error}).",
            "Nobody can register or recover an account.",
            "Check host, port, user and password, and that its certificate is accepted.",
        )
    if is_sealed:
        return ok("The mail server answers, over TLS.")
    return warn(
        "Mail is handed over in clear.",
        "Whoever listens between here and the mail server reads the codes.",
        "Begin CITIZEN_SMTP_URL with smtp+starttls:// or smtps://.",
    )


async def check_connectors(site: Site) -> Sequence[Line]:
    lines = [await _check_connector(site, name) for name in site.runtime.connectors.manifests]
    return lines or ok("No connector is configured.")


async def _check_connector(site: Site, name: str) -> Line:
    outcome = await site.runtime.connectors.check(name)
    mend = f"Run: citizen-account connector check {name}."
    why = "Residents see when it answered last, and nothing newer."
    if isinstance(outcome, Failed):
        return Line(State.WARN, f"The connector {name} is {outcome.reason}.", why, mend)
    found = outcome.answer.capabilities.items()
    ill = [part for part, health in found if health.condition is not Condition.OK]
    if not ill:
        return Line(State.OK, f"The connector {name} answers.")
    return Line(State.WARN, f"The connector {name} has trouble with {ill[0]}.", why, mend)


async def _ask(issuer: str, context: ssl.SSLContext) -> Answer:
    parts = urlsplit(issuer)
    host = str(parts.hostname)
    reader, writer = await asyncio.open_connection(host, parts.port or 443, ssl=context)
    try:
        writer.write(f"HEAD /health/live HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
        await writer.drain()
        head = await reader.readuntil(b"\r\n\r\n")
        certificate = writer.get_extra_info("peercert")
    finally:
        writer.close()
    first, *lines = head[:MOST_HEADER_BYTES].decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    ends_at = datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), UTC)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    return Answer(int(first.split()[1]), headers, ends_at)


def _judge_certificate(answer: Answer) -> Sequence[Line]:
    ends = f"The certificate is good until {answer.certificate_ends_at:%Y-%m-%d}."
    if answer.certificate_ends_at - datetime.now(UTC) > SOON:
        return ok(ends)
    return warn(ends, "Then nobody gets in.", "Renew it, best by a program.")


def _judge_headers(site: Site, answer: Answer) -> Sequence[Line]:
    if "strict-transport-security" not in answer.headers:
        return warn(
            f"Something else than the account answers at its address ({answer.status}).",
            "A header that every answer of ours has is missing.",
            "Let the proxy pass all requests on, with their Host, and change no headers.",
        )
    try:
        there = parsedate_to_datetime(answer.headers.get("date", ""))
    except ValueError:
        return []
    skew = abs(there - site.runtime.clock())
    if skew <= MOST_SKEW:
        return ok("The proxy passes our headers on, and its clock agrees with ours.")
    return warn(
        f"The proxy's clock and ours differ by {skew.total_seconds():.0f} s.",
        "Codes, tokens and signatures seem older or newer than they are.",
        "Let all machines follow a time server (NTP).",
    )
