"""Look at the settings: what is unsafe as it was written down."""

from collections.abc import Sequence
from itertools import combinations
from urllib.parse import urlsplit

from pydantic import SecretStr

from citizen_account.cli.doctor.findings import Line, Site, fail, ok, warn
from citizen_account.settings import LOCAL_HOSTS, Network

MOST_ADDRESSES = 2**16
FEWEST_DIFFERENT = 12
# Words that stand in examples, in ours and in those of others.
EXAMPLES = ("example", "invented", "change", "secret", "password", "0123456789", "abcdefgh")
WEAK_PASSWORDS = frozenset(
    {"", "postgres", "password", "admin", "root", "citizen", "citizen_account", "database"}
)


async def check_environment(site: Site) -> Sequence[Line]:
    if site.is_production:
        return ok("CITIZEN_ENVIRONMENT is production.")
    return fail(
        "CITIZEN_ENVIRONMENT is development.",
        "Anybody who reaches the account reads all mail at /dev/mailbox.",
        "Set it to production.",
    )


async def check_issuer(site: Site) -> Sequence[Line]:
    if site.runtime.is_https:
        return ok(f"CITIZEN_ISSUER is {site.settings.issuer}.")
    return fail(
        "CITIZEN_ISSUER is not https.",
        "Passwords and cookies travel in clear.",
        "Put a TLS proxy in front and set the https address.",
    )


async def check_proxies(site: Site) -> Sequence[Line]:
    networks = site.settings.trusted_proxies
    wide = [network for network in networks if _is_wide(network)]
    if wide:
        return fail(
            f"CITIZEN_TRUSTED_PROXIES trusts {wide[0]}.",
            "Whoever sits there writes any address into X-Forwarded-For and escapes all limits.",
            "Name the proxy's own addresses alone.",
        )
    if site.runtime.is_https and not networks:
        return fail(
            "CITIZEN_TRUSTED_PROXIES is empty.",
            "Behind the TLS proxy all residents share one address, and one limit of tries.",
            "Name the proxy's network.",
        )
    return ok(
        "CITIZEN_TRUSTED_PROXIES: " + (", ".join(map(str, networks)) or "nobody, and no TLS.")
    )


async def check_secrets(site: Site) -> Sequence[Line]:
    secrets = _secrets_of(site)
    for name, secret in secrets:
        if _is_weak(secret):
            return fail(
                f"{name} is no random value.",
                "Who guesses it reads personal data, or signs in the account's name.",
                "Make one of 32 random characters or more: openssl rand -hex 32. Where data are"
                " sealed by the old data key, put the new one before it.",
            )
    for (first, one), (second, other) in combinations(secrets, 2):
        if one == other:
            return fail(
                f"{first} and {second} are the same.",
                "Who learns the one holds the other too.",
                "Give each a value of its own.",
            )
    return ok("Keys and tokens look random, and differ.")


async def check_database_password(site: Site) -> Sequence[Line]:
    address = urlsplit(site.settings.database_url.get_secret_value())
    if address.scheme.startswith("sqlite"):
        return ok("The database is a file and has no password.")
    is_near = address.hostname in LOCAL_HOSTS | {None}
    if (address.password or "") in WEAK_PASSWORDS and not is_near:
        return fail(
            "The password of CITIZEN_DATABASE_URL is missing or one that everybody tries.",
            "Whoever reaches the database's port owns the account.",
            "Give the role a random password.",
        )
    if address.username == "postgres":
        return warn(
            "The account is the database's superuser.",
            "A hole in the account would be one in every database of that server.",
            "Make a role of its own that owns this database alone.",
        )
    return ok("The database's role has a password of its own, or the database is near.")


async def check_backups(site: Site) -> Sequence[Line]:
    if site.settings.backup_key is None:
        return warn(
            "CITIZEN_BACKUP_KEY is not set.",
            "There can be no `db backup`.",
            "Set it to 32 random characters, kept where the backups are not.",
        )
    if site.settings.revocation_log is None:
        return fail(
            "CITIZEN_REVOCATION_LOG is not set.",
            "A restored backup would bring back consents that were withdrawn and closed accounts.",
            "Set it to a file that is copied to where the backups are.",
        )
    return ok("Backups can be made, and revocations are kept beside them.")


async def check_contact(site: Site) -> Sequence[Line]:
    settings = site.settings
    if settings.mail_from.endswith(("@localhost", ".example")):
        return warn(
            f"CITIZEN_MAIL_FROM is {settings.mail_from}.",
            "Other mail servers refuse such a sender.",
            "Set an address of a domain of yours, with SPF and DKIM.",
        )
    if not (settings.security_contact or settings.support_email):
        return warn(
            "CITIZEN_SECURITY_CONTACT is not set.",
            "Who finds a weakness does not know whom to tell.",
            "Set it to mailto: and an address that somebody reads each day.",
        )
    return ok("Sender and contacts are set.")


def _secrets_of(site: Site) -> list[tuple[str, str]]:
    settings = site.settings
    given: list[tuple[str, SecretStr | None]] = [
        ("CITIZEN_SECRET_KEY", settings.secret_key),
        *(("CITIZEN_DATA_KEY", key) for key in settings.data_key),
        ("CITIZEN_BACKUP_KEY", settings.backup_key),
        ("CITIZEN_METRICS_TOKEN", settings.metrics_token),
    ]
    return [(name, key.get_secret_value()) for name, key in given if key is not None]


def _is_weak(secret: str) -> bool:
    is_example = any(word in secret.lower() for word in EXAMPLES)
    return is_example or len(set(secret)) < FEWEST_DIFFERENT or len(secret) < 2 * FEWEST_DIFFERENT


def _is_wide(network: Network) -> bool:
    is_inside = network.is_private and network.prefixlen > 0
    return not is_inside and network.num_addresses > MOST_ADDRESSES
