"""Write the tables of `docs/reference.md` from the code; a person's words in them stay.

Run after a change of a setting, a command, a route or an error code:
python -m tests.structure.reference
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from inspect import cleandoc
from pathlib import Path

import typer.main
from typer.core import TyperCommand, TyperGroup

from citizen_account import cli
from citizen_account.app import create_app
from citizen_account.bootstrap import build_runtime
from citizen_account.domain.errors import ErrorCode
from citizen_account.settings import PREFIX, SECRETS, Settings
from citizen_account.web.error_texts import ERROR_TEXTS
from tests.factories import settings_for
from tests.routes import Address, addresses_of

DOCUMENT = Path(__file__).parents[2] / "docs" / "reference.md"
OPERATING = DOCUMENT.with_name("operating.md")
SETTINGS = re.compile(
    r"^## Settings\n(?P<text>(?:(?!## |\|).*\n)*)(?P<table>(?:\|.*\n)*)", re.MULTILINE
)
ROW = re.compile(r"^\| `(?P<key>[^`]+)` \|(?P<facts>.*)\| (?P<words>[^|]*) \|$")
HEADING = re.compile(r"^## (?P<title>.+)$")


@dataclass(frozen=True, slots=True)
class Entry:
    """One row: what the code says, and what a person may say better."""

    key: str
    facts: str
    suggestion: str


def sections() -> Mapping[str, tuple[str, list[Entry]]]:
    """Return each section's table: its head, and its entries in the order of the code."""
    return {
        "Settings": ("| variable | default | what it decides |", list(settings())),
        "Commands": ("| command | options | what it does |", list(commands())),
        "Routes": ("| address | methods | what it answers |", list(routes())),
        "Error codes": ("| code | status | what the reader is told |", list(error_codes())),
    }


def settings() -> Iterator[Entry]:
    for name, field in Settings.model_fields.items():
        default = field.default
        facts = []
        if field.is_required():
            facts.append("**needed**")
        elif default not in (None, "", ()):
            facts.append(f"`{_plain(default)}`")
        if name in SECRETS:
            facts.append(f"or as `{PREFIX}{name.upper()}_FILE`")
        yield Entry(f"{PREFIX}{name.upper()}", ", ".join(facts), "")


def commands() -> Iterator[Entry]:
    yield from _commands_of(typer.main.get_group(cli.app), "citizen-account")


def routes() -> Iterator[Entry]:
    # Nothing is asked of the database, so it need not be there.
    app = create_app(build_runtime(settings_for("sqlite:///unopened.db")))
    found: dict[str, Address] = {}
    for address in addresses_of(app):
        known = found.get(address.path, address)
        says = known.says or address.says
        found[address.path] = Address(address.path, known.methods | address.methods, says)
    for path, address in sorted(found.items()):
        yield Entry(path, ", ".join(sorted(address.methods)), address.says)


def error_codes() -> Iterator[Entry]:
    for code in ErrorCode:
        text = ERROR_TEXTS[code]
        yield Entry(code.value, str(text.status.value), text.title.msgid)


def words_of(document: str) -> dict[str, str]:
    """Return what the document says of each `section/key`."""
    found, title = {}, ""
    for line in document.splitlines():
        if heading := HEADING.match(line):
            title = heading["title"]
        elif row := ROW.match(line):
            found[f"{title}/{row['key']}"] = row["words"].strip()
    return found


def render(document: str) -> str:
    """Return the document with tables as the code has them; all other text stays as it is."""
    known, rendered = words_of(document), document
    for title, (head, entries) in sections().items():
        rows = [
            _row(entry, known.get(f"{title}/{entry.key}") or entry.suggestion) for entry in entries
        ]
        table = "\n".join([head, "|---|---|---|", *rows])
        section = re.compile(
            rf"^## {title}\n(?P<text>(?:(?!## |\|).*\n)*)(?:\|.*\n)*\n?", re.MULTILINE
        )
        found = section.search(rendered)
        if found is not None:
            whole = f"## {title}\n\n{found['text'].strip()}\n\n{table}\n\n"
            rendered = rendered.replace(found[0], whole, 1)
    return f"{rendered.strip()}\n"


def with_settings(operating: str, document: str) -> str:
    """Return the operators' document with the table of settings as the reference has it."""
    ours, theirs = SETTINGS.search(operating), SETTINGS.search(document)
    if ours is None or theirs is None:
        raise ValueError("a document has no section Settings")
    return operating.replace(ours[0], f"## Settings\n{ours['text']}{theirs['table']}", 1)


def unexplained(document: str) -> list[str]:
    return [key for key, words in words_of(document).items() if not words]


def _row(entry: Entry, words: str) -> str:
    return f"| `{entry.key}` | {entry.facts} | {words.replace('|', '/')} |"


def _plain(value: object) -> str:
    return str(getattr(value, "value", value)).lower() if isinstance(value, bool) else str(value)


def _commands_of(group: TyperGroup, name: str) -> Iterator[Entry]:
    for part, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from _commands_of(command, f"{name} {part}")
        elif isinstance(command, TyperCommand):
            options = ", ".join(_parameters_of(command))
            yield Entry(f"{name} {part}", options, _first_line(command.help))


def _parameters_of(command: TyperCommand) -> Iterator[str]:
    for parameter in command.params:
        flags = [flag for flag in parameter.opts if flag.startswith("--")]
        yield f"`{flags[0] if flags else (parameter.name or '').upper()}`"


def _first_line(text: str | None) -> str:
    return cleandoc(text).splitlines()[0] if text else ""


if __name__ == "__main__":
    rendered = render(DOCUMENT.read_text(encoding="utf-8"))
    DOCUMENT.write_text(rendered, encoding="utf-8")
    operating = OPERATING.read_text(encoding="utf-8")
    OPERATING.write_text(with_settings(operating, rendered), encoding="utf-8")
