"""Say where the parts of the small city are, and which settings each of them gets."""

import os
import secrets
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from citizen_account.demo.city_facts import CENTRE, CITY

LOOPBACK = "127.0.0.0/8 ::1/128"
LIBRARY_CLIENT = "city-library"
ACCOUNT_AT_EID = "city-account"
OWNER_ONLY = 0o600


class Part(StrEnum):
    """In the order of their ports."""

    ACCOUNT = "account"
    EID = "eid"
    LIBRARY = "library"
    EMULATORS = "emulators"


@dataclass(frozen=True, slots=True)
class SmallCity:
    folder: Path
    port: int
    database_url: str
    """The account's; the eID has a small one of its own."""

    @classmethod
    def in_folder(cls, folder: Path, port: int, database_url: str | None = None) -> "SmallCity":
        here = folder.resolve()
        return cls(here, port, database_url or f"sqlite:///{here}/account.db")

    def port_of(self, part: Part) -> int:
        return self.port + list(Part).index(part)

    def address_of(self, part: Part) -> str:
        return f"http://localhost:{self.port_of(part)}"

    @property
    def upstreams_file(self) -> Path:
        return self.folder / "upstreams.json"

    @property
    def connectors_file(self) -> Path:
        return self.folder / "connectors.toml"

    @property
    def links_file(self) -> Path:
        return self.folder / "links.json"

    def log_of(self, part: Part) -> Path:
        return self.folder / "log" / f"{part}.log"

    def secret(self, name: str) -> str:
        """Return a secret of this city, made at its first use and kept in a file of its own."""
        file = self.folder / "secrets" / name
        if not file.exists():
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, OWNER_ONLY)
            with os.fdopen(descriptor, "w", encoding="utf-8") as lines:
                lines.write(secrets.token_urlsafe(48))
        return file.read_text(encoding="utf-8")

    def environment_of(self, part: Part) -> dict[str, str]:
        """Return the whole environment of a part: the caller's, without settings that he has."""
        mine = {
            name: value for name, value in os.environ.items() if not name.startswith("CITIZEN_")
        }
        return mine | {"PYTHONUNBUFFERED": "1"} | self._settings_of(part)

    def _settings_of(self, part: Part) -> dict[str, str]:
        match part:
            case Part.ACCOUNT:
                return self._account_settings()
            case Part.EID:
                return self._eid_settings()
            case Part.LIBRARY:
                return {
                    "LIBRARY_CITY_ISSUER": self.address_of(Part.ACCOUNT),
                    "LIBRARY_CLIENT_ID": LIBRARY_CLIENT,
                    "LIBRARY_CLIENT_SECRET": self.secret("library_client_secret"),
                    "LIBRARY_ADDRESS": self.address_of(Part.LIBRARY),
                }
            case Part.EMULATORS:
                return {"EMULATORS_LINKS_FILE": str(self.links_file)}

    def _account_settings(self) -> dict[str, str]:
        return self._common_settings(Part.ACCOUNT) | {
            "CITIZEN_DATABASE_URL": self.database_url,
            "CITIZEN_CITY_NAME": CITY,
            "CITIZEN_CITY_POSITION": f"{CENTRE[0]},{CENTRE[1]}",
            "CITIZEN_SUPPORT_EMAIL": "pomoc@dunajske-mesto.example",
            "CITIZEN_UPSTREAMS_FILE": str(self.upstreams_file),
            "CITIZEN_CONNECTORS_FILE": str(self.connectors_file),
            "CITIZEN_REGISTRATION": "queue",
        }

    def _eid_settings(self) -> dict[str, str]:
        return self._common_settings(Part.EID) | {
            "CITIZEN_DATABASE_URL": f"sqlite:///{self.folder}/eid.db",
            # What it is must be plain on each of its pages.
            "CITIZEN_CITY_NAME": "Skúšobná prevádzka, test system",
            "CITIZEN_BRAND": "eid",
            "CITIZEN_SUPPORT_EMAIL": "eid@dunajske-mesto.example",
        }

    def _common_settings(self, part: Part) -> dict[str, str]:
        return {
            "CITIZEN_ENVIRONMENT": "development",
            "CITIZEN_ISSUER": self.address_of(part),
            "CITIZEN_SECRET_KEY": self.secret(f"{part}_secret_key"),
            "CITIZEN_DATA_KEY": self.secret(f"{part}_data_key"),
            "CITIZEN_SUPPORT_PHONE": "+421 35 000 00 00",
            # The Library's addresses are registered by itself, and are on this machine.
            "CITIZEN_OUTBOUND_ALLOWED_NETWORKS": LOOPBACK,
        }
