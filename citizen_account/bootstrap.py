"""Compose the program from its settings."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from citizen_account.connector_host.connectors import Connectors, open_connectors
from citizen_account.domain.accounts import PASSWORD, SessionLimits, SignInMethod
from citizen_account.domain.places import Position
from citizen_account.domain.registrations import RegistrationMode, RegistrationPolicy
from citizen_account.i18n import Message, Translations, m
from citizen_account.mail import Mailer, SmtpAddress
from citizen_account.outbound import Outbound, trust
from citizen_account.resources import LOCALE, templates_folder
from citizen_account.security.certificates import Authorities, MutualTls
from citizen_account.security.passwords import HashParameters, PasswordHasher
from citizen_account.security.sealing import DerivedKeys, Sealer, derive
from citizen_account.settings import Environment, Network, Settings
from citizen_account.storage.revocation_log import RevocationLog
from citizen_account.storage.unit_of_work import Clock, Database
from citizen_account.telemetry.metrics import Metrics
from citizen_account.telemetry.tracing import Tracer, open_tracer
from citizen_account.upstream.providers import Upstreams, open_upstreams
from citizen_account.usecases.client_keys import ClientKeys
from citizen_account.usecases.keys import KeyRings

PRODUCT = m("City account")


@dataclass(frozen=True, slots=True)
class City:
    """What pages and mails say of the city that runs the account."""

    name: str
    brand: str
    support_email: str
    support_phone: str
    default_language: str
    time_zone: str
    position: Position | None
    """The middle of what public sources are asked about; None: they are not asked."""
    radius_metres: int
    product: Message = PRODUCT
    """What the pages call the account."""


@dataclass(frozen=True, slots=True)
class SecurityContact:
    """Whom to tell of a weakness, and by which rules (RFC 9116); empty: nobody was named."""

    contact: str = ""
    policy: str = ""


@dataclass(frozen=True, slots=True)
class Runtime:
    """All that a route, a job or a command may reach."""

    issuer: str
    city: City
    is_development: bool
    trusted_proxies: tuple[Network, ...]
    session_limits: SessionLimits
    clock: Clock
    derived_keys: DerivedKeys
    sealer: Sealer
    hasher: PasswordHasher
    database: Database
    keys: KeyRings
    mailer: Mailer
    upstreams: Upstreams
    connectors: Connectors
    outbound: Outbound
    client_keys: ClientKeys
    registration: RegistrationPolicy
    """Whether clients may register themselves."""
    translations: Translations
    template_folders: tuple[Path, ...]
    """Where pages and mails are looked for, a city's own folder first."""
    password_method: SignInMethod = PASSWORD
    """What a password proves here: only the small city's eID claims more."""
    metrics: Metrics | None = None
    """What this process counts; None where nobody may ask for it."""
    metrics_token: str = ""
    tracer: Tracer | None = None
    revocation_log: RevocationLog | None = None
    """Where revocations are kept beside the backups; None: a restore brings them back."""
    security: SecurityContact = SecurityContact()
    mutual_tls: MutualTls | None = None
    """How clients' certificates reach us; None: they do not."""

    @property
    def host(self) -> str:
        """The host, with its port where it is not the scheme's own, that requests must name."""
        return urlsplit(self.issuer).netloc

    @property
    def is_https(self) -> bool:
        return self.issuer.startswith("https://")


def utc_now() -> datetime:
    return datetime.now(UTC)


def build_runtime(settings: Settings, clock: Clock = utc_now) -> Runtime:
    derived_keys = DerivedKeys.of(settings.secret_key.get_secret_value())
    data_keys = [key.get_secret_value() for key in settings.data_key]
    sealer = Sealer(data_keys, derived_keys.index)
    translations = Translations.read(
        LOCALE, default=settings.default_language, time_zone=settings.time_zone
    )
    folders = _template_folders(settings)
    log = _revocation_log_of(settings)
    database = Database(
        settings.database_url.get_secret_value(),
        sealer,
        clock,
        log,
        connections=settings.database_connections,
    )
    trusted = trust(settings.trusted_ca_file)
    is_development = settings.environment is Environment.DEVELOPMENT
    outbound = Outbound(
        settings.outbound_allowed_networks,
        settings.trusted_ca_file,
        allow_http_loopback=is_development,
    )
    return Runtime(
        issuer=settings.issuer,
        city=_city_of(settings),
        is_development=is_development,
        trusted_proxies=settings.trusted_proxies,
        session_limits=SessionLimits(
            idle=timedelta(minutes=settings.session_idle_minutes),
            maximum=timedelta(hours=settings.session_maximum_hours),
        ),
        clock=clock,
        derived_keys=derived_keys,
        sealer=sealer,
        hasher=_hasher_of(settings),
        database=database,
        keys=KeyRings(database, clock),
        mailer=_mailer_of(settings, translations, folders),
        upstreams=open_upstreams(settings.upstreams_file, settings.issuer, trusted),
        connectors=open_connectors(settings.connectors_file, trusted, database, clock),
        outbound=outbound,
        client_keys=ClientKeys(database, outbound),
        translations=translations,
        template_folders=folders,
        metrics=None if settings.metrics_token is None else Metrics(),
        metrics_token=_plain(settings.metrics_token),
        tracer=open_tracer(settings.traces_url),
        revocation_log=log,
        security=SecurityContact(settings.security_contact, settings.security_policy),
        mutual_tls=_mutual_tls_of(settings),
        registration=RegistrationPolicy(
            RegistrationMode(settings.registration.value), settings.registration_require_pkce
        ),
    )


def _plain(secret: SecretStr | None) -> str:
    return "" if secret is None else secret.get_secret_value()


def open_revocation_log(settings: Settings, path: Path) -> RevocationLog:
    """Open such a log, ours or that of another machine of the same account."""
    return RevocationLog(path, derive(settings.secret_key.get_secret_value(), "revocation log"))


def _revocation_log_of(settings: Settings) -> RevocationLog | None:
    path = settings.revocation_log
    return None if path is None else open_revocation_log(settings, path)


def _mutual_tls_of(settings: Settings) -> MutualTls | None:
    if not settings.mtls_certificate_header:
        return None
    file = settings.mtls_ca_file
    authorities = Authorities() if file is None else Authorities.read(file)
    return MutualTls(settings.mtls_certificate_header, authorities, settings.mtls_address)


def _template_folders(settings: Settings) -> tuple[Path, ...]:
    own = settings.templates_folder
    return (templates_folder(),) if own is None else (own, templates_folder())


def _city_of(settings: Settings) -> City:
    return City(
        name=settings.city_name,
        brand=settings.brand,
        support_email=settings.support_email,
        support_phone=settings.support_phone,
        default_language=settings.default_language,
        time_zone=settings.time_zone,
        position=_position_of(settings.city_position),
        radius_metres=settings.city_radius_metres,
    )


def _position_of(text: str) -> Position | None:
    if not text:
        return None
    latitude, _, longitude = text.partition(",")
    return Position(float(latitude), float(longitude))


def _hasher_of(settings: Settings) -> PasswordHasher:
    return PasswordHasher(
        HashParameters(
            memory_kib=settings.argon2_memory_kib,
            time_cost=settings.argon2_time_cost,
            parallelism=settings.argon2_parallelism,
        )
    )


def _mailer_of(settings: Settings, translations: Translations, folders: tuple[Path, ...]) -> Mailer:
    url = settings.smtp_url
    return Mailer(
        folders=folders,
        translations=translations,
        issuer=settings.issuer,
        city_name=settings.city_name,
        sender=settings.mail_from,
        support=settings.support_email or settings.support_phone,
        smtp=None if url is None else SmtpAddress.parse(url.get_secret_value()),
    )
