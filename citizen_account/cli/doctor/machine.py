"""Look at this machine: files that others can read, and the room that is left."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from citizen_account.cli.doctor.findings import Line, Site, fail, ok, warn
from citizen_account.settings import PREFIX, SECRETS

OTHERS_READ = 0o004
OTHERS_WRITE = 0o022
LEAST_BYTES = 256 * 2**20
FEW_BYTES = 2 * 2**30


async def check_files(site: Site) -> Sequence[Line]:
    """Look at the files with secrets, the database on SQLite, and the log of revocations."""
    files = list(_files_of(site))
    for file, is_secret in files:
        mode = file.stat().st_mode
        if mode & OTHERS_WRITE:
            return fail(
                f"{file} can be written by others on this machine.",
                "Whoever does so decides who signs in.",
                f"chmod 600 {file}",
            )
        if mode & OTHERS_READ:
            grade = fail if is_secret else warn
            return grade(
                f"{file} can be read by everybody on this machine.",
                "Keys, or who withdrew what, are open to every other program.",
                f"chmod 600 {file}",
            )
    return ok(f"{len(files)} files of the account are closed to others.")


async def check_disk(site: Site) -> Sequence[Line]:
    folders = {file.parent for file in _data_files_of(site)} or {Path()}
    for folder in sorted(folders):
        free = shutil.disk_usage(folder).free
        said = f"{free // 2**20} MiB are free at {folder}."
        if free < LEAST_BYTES:
            return fail(said, "Nothing can be kept when none is left.", "Make room.")
        if free < FEW_BYTES:
            return warn(said, "Data and logs grow every day.", "Make room, and watch it.")
    return ok("There is room on the disk.")


async def check_log(site: Site) -> Sequence[Line]:
    log = site.runtime.revocation_log
    if log is None:
        return []
    if not log.path.parent.is_dir():
        return fail(
            f"The folder of {log.path} does not exist.",
            "Nothing can be withdrawn or closed while the log cannot be written.",
            "Make it, writable by the account alone.",
        )
    try:
        lines = log.position().lines
    except OSError as error:
        return fail(
            f"The log of revocations cannot be believed: {error}.",
            "A restore would refuse it.",
            "Keep the file, move it away, and take a backup at once: a new log begins with it.",
        )
    return ok(f"The log of revocations is whole: {lines} lines.")


def _files_of(site: Site) -> Iterator[tuple[Path, bool]]:
    named = [site.variables.get(f"{PREFIX}{name.upper()}_FILE") for name in sorted(SECRETS)]
    others = (site.settings.upstreams_file, site.settings.connectors_file)
    for file in [*(Path(name) for name in named if name), *(file for file in others if file)]:
        yield file, True
    for file in _data_files_of(site):
        if file.exists():
            yield file, False


def _data_files_of(site: Site) -> Iterator[Path]:
    address = urlsplit(site.settings.database_url.get_secret_value())
    if address.scheme.startswith("sqlite"):
        yield Path(address.path[1:])
    if site.settings.revocation_log is not None:
        yield site.settings.revocation_log
