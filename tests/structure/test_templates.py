"""Every template compiles, has a title, and is fed by exactly one frozen dataclass."""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from zoneinfo import ZoneInfo

import pytest
from jinja2 import TemplateSyntaxError, UndefinedError

from citizen_account.bootstrap import City
from citizen_account.i18n import Translations
from citizen_account.resources import LOCALE, STATIC
from citizen_account.web.pages import Frame, FrameUser, Page, Pages
from citizen_account.web.static_files import StaticFiles
from tests.examples import empty, full, page_types

TEMPLATES = Path(__file__).parents[2] / "templates"
# Pieces that pages are built from; mails are rendered by their own tests.
PARTS = re.compile(r"^(layout\.html|macros\.html|.*/?_[\w-]+\.(html|svg)|email/.*)$")
CITY = City("Dunajské Mesto", "dunaj", "pomoc@mesto.example", "02 / 555 01 02", "sk", "Europe/Bratislava")
"""EOF
