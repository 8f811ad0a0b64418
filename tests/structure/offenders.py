"""Imports that each break one contract of the layers, as modules to put into a copy."""

from pathlib import Path

# One for each contract of pyproject.toml, in its order.
IMPORTS = {
    "citizen_account/domain/offender.py": "import citizen_account.web.pages",
    "citizen_account/web/portal/offender.py": "import citizen_account.web.admin",
    "connectors/housing/offender.py": "import citizen_account.domain.accounts",
    "connectors/permits/offender.py": "import connectors.mobility",
    "citizen_account/usecases/offender.py": "import connectors.housing",
    "citizen_account/connector_sdk/offender.py": "import fastapi",
    "citizen_account/security/offender.py": "import pytest",
    "citizen_account/openid/offender.py": "import sqlalchemy",
    "citizen_account/storage/offender.py": "import starlette.requests",
    "citizen_account/mail_offender.py": "import jinja2",
    "citizen_account/jobs/offender.py": "import authlib.oauth2",
    "citizen_account/telemetry_offender.py": "import httpx2",
    "citizen_account/web/offender.py": "import citizen_account.settings",
}


def write(folder: Path) -> None:
    for path, statement in IMPORTS.items():
        (folder / path).write_text(f'"""Offend."""\n\n{statement}\n', encoding="utf-8")
