"""Say where templates, static files and catalogues lie, in a wheel or in a checkout."""

from pathlib import Path

PACKAGE = Path(__file__).parent
STATIC = PACKAGE / "static"
LOCALE = PACKAGE / "locale"
MIGRATIONS = PACKAGE / "migrations"


def templates_folder() -> Path:
    packaged = PACKAGE / "_templates"
    return packaged if packaged.is_dir() else PACKAGE.parent / "templates"
