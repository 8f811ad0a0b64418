"""Make an example of any page from its types: one that is full, and one that is empty."""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from functools import cache
from pathlib import Path
from types import ModuleType, NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import citizen_account.web
from citizen_account.bootstrap import City
from citizen_account.i18n import Message, Translations, m
from citizen_account.resources import LOCALE, STATIC
from citizen_account.web.pages import Frame, FrameUser, Pages
from citizen_account.web.static_files import StaticFiles

TEMPLATES = Path(__file__).parents[1] / "templates"
CITY = City(
    name="Dunajské Mesto",
    brand="dunaj",
    support_email="pomoc@mesto.example",
    support_phone="02 / 555 01 02",
    default_language="sk",
    time_zone="Europe/Bratislava",
    position=None,
    radius_metres=0,
)
# No letter in it: whatever letter a page shows beside it was written into the template.
DATUM = "007"
PLAIN: Mapping[type, object] = {
    str: DATUM,
    int: 7,
    float: 7.5,
    bytes: b"7",
    bool: True,
    UUID: UUID(int=7),
    datetime: datetime(2026, 11, 23, 9, 5, tzinfo=UTC),
    date: date(2026, 11, 23),
    timedelta: timedelta(days=7),
    NoneType: None,
    object: DATUM,
    Message: m("Overview"),
}
EMPTY: Mapping[type, object] = {str: "", int: 0, bool: False}
T = TypeVar("T")


@cache
def page_types() -> Sequence[type]:
    """Return every page of the portal, the provider and the administrators."""
    modules = pkgutil.walk_packages(
        citizen_account.web.__path__, f"{citizen_account.web.__name__}."
    )
    return [page for module in modules for page in _pages_in(importlib.import_module(module.name))]


def _pages_in(module: ModuleType) -> Iterator[type]:
    for value in vars(module).values():
        if not isinstance(value, type) or value.__module__ != module.__name__:
            continue
        if is_dataclass(value) and isinstance(vars(value).get("template"), str):
            yield value


def full(kind: type[T]) -> T:
    """Return an example with everything there is."""
    return _instance(kind, is_full=True)


def empty(kind: type[T]) -> T:
    """Return an example with nothing that can be left out."""
    return _instance(kind, is_full=False)


def _instance(kind: type[T], *, is_full: bool) -> T:
    hints = get_type_hints(kind)
    values = {
        field.name: _example(hints[field.name], is_full=is_full)
        for field in fields(kind)  # type: ignore[arg-type]  # only dataclasses come here
        if field.init
    }
    return kind(**values)


def _example(kind: Any, *, is_full: bool) -> object:  # noqa: ANN401  # Any: an annotation
    origin, arguments = get_origin(kind), get_args(kind)
    if hasattr(kind, "__supertype__"):
        return _example(kind.__supertype__, is_full=is_full)
    if origin in {Union, UnionType}:
        chosen = NoneType if NoneType in arguments and not is_full else arguments[0]
        return _example(chosen, is_full=is_full)
    if origin is not None:
        return _collection(origin, arguments, is_full=is_full)
    if kind in PLAIN:
        return PLAIN[kind] if is_full else EMPTY.get(kind, PLAIN[kind])
    if issubclass(kind, Enum):
        return next(iter(kind))
    return _instance(kind, is_full=is_full)


def _collection(origin: type, arguments: tuple[Any, ...], *, is_full: bool) -> object:
    if issubclass(origin, Mapping):
        key, value = arguments
        return {_example(key, is_full=True): _example(value, is_full=True)} if is_full else {}
    if origin is tuple and Ellipsis not in arguments:
        return tuple(_example(argument, is_full=is_full) for argument in arguments)
    return (_example(arguments[0], is_full=True),) if is_full else ()


def our_translations() -> Translations:
    return Translations.read(LOCALE, default="sk", time_zone=CITY.time_zone)


def pages_with(translations: Translations, *folders: Path) -> Pages:
    """Build the pages as the application does; the folders come before ours."""
    return Pages(*folders, TEMPLATES, static_files=StaticFiles(STATIC), translations=translations)


def frame(language: str, *, is_signed_in: bool = True) -> Frame:
    user = FrameUser(DATUM, DATUM, is_administrator=True) if is_signed_in else None
    return Frame(
        language=language,
        path="/dashboard?page=2",
        city=CITY,
        token_for=lambda action: f"token of {action}",
        user=user,
        unread=2 if is_signed_in else 0,
    )
