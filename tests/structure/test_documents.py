"""What the documents name exists: files, modules, tests, rooms; and their example is accepted."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from citizen_account.domain.clients import Client, ClientProfile
from citizen_account.openid.registration import Surroundings, read_registration
from citizen_account.openid.resource_registration import read_resource_server

ROOT = Path(__file__).parents[2]
DOCUMENTS = (ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md")))
CODE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
MODULE = re.compile(r"`((?:[a-z_]+/)+[\w.]+\.\w+|[a-z_]+\.py)`")
BROKEN_EMPHASIS = re.compile(r"^\* \*.*", re.MULTILINE)
EXAMPLE = re.compile(r"^```json registration\n(.*?)^```", re.MULTILINE | re.DOTALL)
RESOURCE = re.compile(r"^```json resource\n(.*?)^```", re.MULTILINE | re.DOTALL)
# Named as examples of what a reader writes, not as what is here.
NOT_HERE = frozenset({"emulator.py", "connector.py", "client.py", "service.py"})


def faults(document: Path, text: str) -> Iterator[str]:
    prose = CODE.sub("", text)
    for line in BROKEN_EMPHASIS.findall(prose):
        yield f"emphasis {line}"
    for target in LINK.findall(prose):
        if not (document.parent / target).exists():
            yield f"link to {target}"
    for file, name in TEST.findall(prose):
        path = ROOT / file
        if not path.is_file() or f"def {name}(" not in path.read_text(encoding="utf-8"):
            yield f"test {file}::{name}"
    for name in MODULE.findall(prose):
        places = (ROOT / name, ROOT / "citizen_account" / name)
        if name not in NOT_HERE and not any(place.exists() for place in places):
            yield f"file {name}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: str(document.name))
def test_what_a_document_names_exists(document: Path) -> None:
    assert not list(faults(document, document.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "text",
    [
        "See [this](nowhere.md).",
        "`tests/structure/test_documents.py::test_of_nothing`",
        "`usecases/wishes.py`",
        "* *Not bold** at all.",
    ],
)
def test_what_does_not_exist_is_found(text: str) -> None:
    assert len(list(faults(ROOT / "README.md", text))) == 1


def test_readme_has_a_line_for_each_room() -> None:
    tree = (ROOT / "README.md").read_text(encoding="utf-8").partition("citizen_account/\n")[2]
    named = {line.split()[0].rstrip("/") for line in tree.partition("```")[0].splitlines()}
    inside = {path.name for path in (ROOT / "citizen_account").iterdir() if path.name[0] != "_"}
    rooms = {"connectors", "templates", "docker", "tests", "docs", "requirements", ".ci"}
    assert rooms | inside <= named


def accepted(document: str) -> Iterator[Client]:
    """Read the document's registrations as `client import` does."""
    [example] = EXAMPLE.findall((ROOT / "docs" / document).read_text(encoding="utf-8"))
    read = json.loads(example)
    surroundings = Surroundings(
        is_development=document == "services.md",
        new_id="-",
        new_secret="-" * 40,
        now=datetime(2026, 1, 1, tzinfo=UTC),
    )
    for one in read if isinstance(read, list) else [read]:
        yield read_registration(one, surroundings).client


def test_registration_in_the_documents_is_accepted() -> None:
    [client] = accepted("services.md")
    assert [purpose.id for purpose in client.purposes] == ["season-pass", "delays"]


def test_resource_server_in_the_documents_is_accepted() -> None:
    [example] = RESOURCE.findall((ROOT / "docs" / "services.md").read_text(encoding="utf-8"))
    now = datetime(2026, 1, 1, tzinfo=UTC)
    server = read_resource_server(json.loads(example), "https://account.example", now, None)
    assert server.id == "https://parking.example/api"


def test_clients_of_the_conformance_suite_are_accepted() -> None:
    clients = {str(client.id): client for client in accepted("conformance.md")}
    names = ("basic", "basic-2", "post", "back", "front", "fapi", "fapi-2", "machine")
    assert set(clients) == {f"suite-{name}" for name in names}
    high = {name for name, client in clients.items() if client.profile is ClientProfile.HIGH}
    assert high == {"suite-fapi", "suite-fapi-2", "suite-machine"}
    assert not clients["suite-basic"].require_pkce
