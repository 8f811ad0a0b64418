"""Show the city's paper mail, which proves that somebody lives where she says."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from citizen_account.demo.city_facts import LETTERS, NEWCOMER, Letter
from citizen_account.demo.emulators.register import Register
from citizen_account.web.frames import frame_of, show


@dataclass(frozen=True, slots=True)
class LettersPage:
    template: ClassVar[str] = "development/letters.html"
    unused: Sequence[Letter]
    used: Sequence[Letter]


class Letters:
    """The letters that nobody has used yet come first."""

    def __init__(self, links_file: Path) -> None:
        self._links_file = links_file

    @property
    def routes(self) -> list[Route]:
        return [Route("/dev/letters", self.page), Route("/dev/letters.json", self.json)]

    async def page(self, request: Request) -> Response:
        unused, used = self._sorted()
        return show(request, frame_of(request, is_focused=True), LettersPage(unused, used))

    async def json(self, _: Request) -> Response:
        unused, used = self._sorted()
        return JSONResponse(
            [
                {
                    "persona": letter.persona,
                    "service": letter.service,
                    "reference": letter.reference,
                    "secret": letter.secret,
                }
                for letter in (*unused, *used)
            ]
        )

    def _sorted(self) -> tuple[Sequence[Letter], Sequence[Letter]]:
        register = Register(path=self._links_file)
        used = [letter for letter in LETTERS if register.subject_of(letter.reference)]
        unused = [letter for letter in LETTERS if letter not in used]
        # The personas' own letters last, so that newcomers do not use theirs up.
        return sorted(unused, key=lambda letter: letter.persona != NEWCOMER), used
