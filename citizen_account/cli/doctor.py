"""Say what of the configuration is unsafe or missing, and how to mend it."""

import asyncio
from dataclasses import dataclass

from rich.console import Console

from citizen_account import migrations
from citizen_account.cli.failures import CommandError, runtime
from citizen_account.settings import Environment, Settings


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, why it matters, and what to do."""

    what: str
    why: str
    mend: str


def doctor() -> None:
    """Check the configuration; exit 1 when something is unsafe or missing."""
    findings = asyncio.run(_examine(Settings()))
    console = Console(soft_wrap=True)
    for finding in findings:
        console.print(f"{finding.what} {finding.why} {finding.mend}", markup=False)
    if findings:
        raise CommandError(f"{len(findings)} findings.")
    console.print("Nothing unsafe was found.")


async def _examine(settings: Settings) -> list[Finding]:
    findings = [*_settings_findings(settings)]
    findings += await _database_findings(settings)
    return findings


def _settings_findings(settings: Settings) -> list[Finding]:
    findings = []
    if settings.environment is Environment.DEVELOPMENT:
        findings.append(
            Finding(
                "CITIZEN_ENVIRONMENT is development.",
                "Anybody who reaches the account reads all mail at /dev/mailbox.",
                "Set it to production.",
            )
        )
    if not settings.issuer.startswith("https://"):
        findings.append(
            Finding(
                "CITIZEN_ISSUER is not https.",
                "Passwords and cookies travel in clear.",
                "Put a TLS proxy in front and set the https address.",
            )
        )
    if settings.issuer.startswith("https://") and not settings.trusted_proxies:
        findings.append(
            Finding(
                "CITIZEN_TRUSTED_PROXIES is empty.",
                "Behind the TLS proxy all residents share one address, and one limit of tries.",
                "Name the proxy's network.",
            )
        )
    return findings


async def _database_findings(settings: Settings) -> list[Finding]:
    try:
        steps = await migrations.pending_steps(settings.database_url.get_secret_value())
        async with runtime() as built:
            await built.database.is_alive()
    except (OSError, ValueError) as error:
        return [
            Finding(
                f"The database does not answer ({type(error).__name__}).",
                "Nothing works without it.",
                "Check CITIZEN_DATABASE_URL and that the server runs.",
            )
        ]
    if not steps:
        return []
    return [
        Finding(
            f"{len(steps)} migrations are pending.",
            "This version expects other tables.",
            "Run: citizen-account db upgrade.",
        )
    ]
