"""Play the browser script of `docs/conformance.md` on our pages, as the suite's runner does."""

import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.factories import ISSUER, PASSWORD
from tests.pages import Visitor

DOCUMENT = Path(__file__).parents[2] / "docs" / "conformance.md"
SUITE = "https://suite.example/test/a/citizen"
EMAIL = "suite@example.org"
PICTURES = frozenset({"update-image-placeholder", "update-image-placeholder-optional"})
Task = Mapping[str, Any]  # Any: what the suite's format holds


def read_plan(kind: str = "plan") -> Mapping[str, Any]:  # Any: as above
    """Return the document's configuration, for the account of the tests."""
    text = DOCUMENT.read_text(encoding="utf-8")
    [block] = re.findall(rf"^```json {kind}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    block = block.replace("https://account.example", ISSUER)
    plan: Mapping[str, Any] = json.loads(
        block.replace('"password", "…"', f'"password", "{PASSWORD}"')
    )
    return plan


def read_client(client_id: str) -> Mapping[str, Any]:  # Any: metadata
    """Return a client of the document."""
    text = DOCUMENT.read_text(encoding="utf-8")
    [block] = re.findall(r"^```json registration\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return next(each for each in json.loads(block) if each["client_id"] == client_id)


@dataclass
class ScriptedBrowser:
    """A browser that does what the script says wherever it arrives."""

    visitor: Visitor
    entries: Sequence[Task] = field(default_factory=lambda: read_plan()["browser"])
    pictures: list[str] = field(default_factory=list)
    """The ids that were there to see when a picture was taken, in their order."""
    _visits: Counter[int] = field(default_factory=Counter)

    async def go_to(self, address: str, *, method: str = "GET") -> str:
        """Return where the browser is when all tasks are done."""
        entry = self._entry(address)
        await self.visitor.open(address if method == "GET" else await self._post(address))
        for task in entry["tasks"]:
            await self._perform(task)
        return self.place

    def _entry(self, address: str) -> Task:
        """Return the first entry that matches and has not been used up."""
        for number, entry in enumerate(self.entries):
            is_left = self._visits[number] < entry.get("match-limit", math.inf)
            if is_left and _matches(entry["match"], address):
                self._visits[number] += 1
                return entry
        raise LookupError(f"no entry for {address}")

    async def _post(self, address: str) -> str:
        """Send the query as a form; return where the answer leads."""
        place, _, query = address.partition("?")
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = await self.visitor.http.post(place, content=query, headers=headers)
        location: str = answer.headers["location"]
        return location

    @property
    def place(self) -> str:
        forms = self.visitor.page.find("#form-post")
        # The form sends itself at once.
        sent = forms[0].attributes["action"] if forms else None
        return self.visitor.left_for or sent or self.visitor.url

    async def _perform(self, task: Task) -> None:
        if not _matches(task["match"], self.place):
            assert task.get("optional"), f"{task['task']} meets {self.place}"
            return
        if self.place.startswith(SUITE):
            # Its own pages are not here.
            return
        for command in task["commands"]:
            await self._do(command)

    async def _do(self, command: Sequence[Any]) -> None:  # Any: as above
        match command:
            case ["text", "id", target, value]:
                self.visitor.fill({f"#{target}": value})
            case ["click", "id", target]:
                await self._click(target)
            case ["click", "id", target, "optional"]:
                if self.visitor.has(f"#{target}"):
                    await self._click(target)
            case ["wait", "id", target, int(), ".*", str(action)] if action in PICTURES:
                assert self.visitor.has(f"#{target}"), f"no #{target} on {self.place}"
                self.pictures.append(target)
            case _:
                raise LookupError(f"the suite knows no such command: {command}")

    async def _click(self, target: str) -> None:
        element = self.visitor.find(f"#{target}")
        if element.attributes.get("type") == "checkbox":
            # A click on a ticked box would take the tick away.
            assert "checked" not in element.attributes
            self.visitor.tick(f"#{target}")
        elif element.tag == "a" and urlsplit(element.attributes["href"]).netloc:
            self.visitor.left_for = element.attributes["href"]
        else:
            await self.visitor.press(f"#{target}")


def _matches(pattern: str, address: str) -> bool:
    """Compare as the suite does: `*` stands for anything, all else for itself."""
    parts = (re.escape(part) for part in pattern.split("*"))
    return re.fullmatch(".*".join(parts), address, re.DOTALL) is not None
