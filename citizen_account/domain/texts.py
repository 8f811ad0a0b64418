"""Hold a text in several languages, as manifests and client metadata give it."""

from collections.abc import Mapping

LocalText = Mapping[str, str]
"""From a BCP 47 language tag to the text in it; never empty."""


def in_language(text: LocalText, language: str) -> str:
    """Return the text in the language, else in English, else in whichever comes first."""
    return text.get(language) or text.get("en") or next(iter(text.values()), "")
