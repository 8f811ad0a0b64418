"""Read the files in which an operator describes clients and resource servers."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from citizen_account.bootstrap import Runtime
from citizen_account.cli.failures import CommandError, runtime
from citizen_account.openid.metadata_members import RegistrationError
from citizen_account.storage.unit_of_work import UnitOfWork

Metadata = Mapping[str, object]
Registered = TypeVar("Registered")
MetadataFile = Annotated[Path, typer.Argument(help="One JSON object of metadata, or a list.")]


def read_metadata(file: Path) -> Sequence[Metadata]:
    try:
        read = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise CommandError(f"{file}: this is no JSON") from None
    found = read if isinstance(read, list) else [read]
    if not found or not all(isinstance(each, dict) for each in found):
        raise CommandError(f"{file}: must hold one metadata object or a list of them")
    return found


async def import_all(
    noun: str,
    described: Sequence[Metadata],
    register: Callable[[Runtime, UnitOfWork, Metadata], Awaitable[Registered]],
) -> Sequence[Registered]:
    """Register all that the file describes, or nothing of it."""
    async with runtime() as built, built.database.begin() as uow:
        done = []
        for number, metadata in enumerate(described, start=1):
            try:
                done.append(await register(built, uow, metadata))
            except RegistrationError as error:
                raise CommandError(f"{noun} {number} of {len(described)}: {error}") from None
        return done
