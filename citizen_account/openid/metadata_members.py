"""Take single members out of client metadata, or say which one is wrong and why."""

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import TypeVar

from citizen_account.domain.texts import LocalText

MAXIMUM_TEXT = 2048
_LANGUAGE_OF_PLAIN = "en"

Choice = TypeVar("Choice", bound=StrEnum)


class RegistrationError(Exception):
    """Name the member and the reason, in one line."""

    def __init__(self, member: str, reason: str) -> None:
        super().__init__(f"{member}: {reason}")
        self.member = member
        self.reason = reason


class Members:
    """The members of one JSON object; `place` comes before their names in errors."""

    def __init__(self, metadata: Mapping[str, object], place: str = "") -> None:
        self._metadata = metadata
        self._place = place

    @property
    def names(self) -> Collection[str]:
        return self._metadata.keys()

    def raw(self, name: str) -> object:
        return self._metadata.get(name)

    def fail(self, name: str, reason: str) -> RegistrationError:
        return RegistrationError(f"{self._place}{name}", reason)

    def text(self, name: str, *, maximum: int = MAXIMUM_TEXT) -> str | None:
        """Return a text that is not empty; None where the member is absent."""
        value = self.raw(name)
        if value is None:
            return None
        if not isinstance(value, str) or not value.strip():
            raise self.fail(name, "must be a text that is not empty")
        if len(value) > maximum:
            raise self.fail(name, f"must be no longer than {maximum} characters")
        if not _is_clean(value):
            raise self.fail(name, "holds a character that cannot be stored")
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        value = self.raw(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self.fail(name, "must be true or false")
        return value

    def choice(self, name: str, default: Choice) -> Choice:
        """Return the member of the default's own enumeration."""
        kind = type(default)
        return kind(self.one_of(name, [each.value for each in kind], default.value))

    def one_of(self, name: str, allowed: Collection[str], default: str) -> str:
        value = self.raw(name)
        if value is None:
            return default
        if not isinstance(value, str) or value not in allowed:
            raise self.fail(name, f"must be one of {', '.join(allowed)}")
        return value

    def words(self, name: str, *, default: Sequence[str] = ()) -> tuple[str, ...]:
        """Return a list of texts, none of them twice."""
        value = self.raw(name)
        if value is None:
            return tuple(default)
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise self.fail(name, "must be a list of texts")
        return tuple(dict.fromkeys(value))

    def mapping(self, name: str) -> Mapping[str, object] | None:
        value = self.raw(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self.fail(name, "must be an object")
        return value

    def objects(self, name: str) -> tuple["Members", ...]:
        """Return a list of objects, each with its place for errors."""
        value = self.raw(name)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            raise self.fail(name, "must be a list of objects")
        return tuple(
            Members(each, f"{self._place}{name}[{number}].") for number, each in enumerate(value)
        )

    def local_text(self, name: str, *, default: str | None = None) -> LocalText:
        """Return a text by language: an object, or RFC 7591's `name` and `name#language`."""
        value = self.raw(name)
        if value is not None and not isinstance(value, str | dict):
            raise self.fail(name, "must be a text, or an object of texts by language")
        given = dict(value) if isinstance(value, dict) else {_LANGUAGE_OF_PLAIN: value}
        prefix = f"{name}#"
        for member, text in self._metadata.items():
            if member.startswith(prefix):
                given[member.removeprefix(prefix)] = text
        found = {language: text for language, text in given.items() if text is not None}
        if not found and default is not None:
            return {_LANGUAGE_OF_PLAIN: default} if default else {}
        return self._checked(name, found)

    def _checked(self, name: str, texts: Mapping[str, object]) -> LocalText:
        checked = Members(texts, f"{self._place}{name}.")
        if not texts:
            raise self.fail(name, "is missing")
        return {language: checked.text(language) or "" for language in texts}


def _is_clean(value: str) -> bool:
    return not any(character < " " or "\ud800" <= character <= "\udfff" for character in value)
