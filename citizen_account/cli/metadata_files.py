"""Read the files in which an operator describes clients and resource servers."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from citizen_account.cli.failures import CommandError

MetadataFile = Annotated[Path, typer.Argument(help="One JSON object of metadata, or a list.")]


def read_metadata(file: Path) -> Sequence[Mapping[str, object]]:
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
