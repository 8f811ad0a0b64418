"""Say in the account's languages what the case system says in its own."""

from collections.abc import Mapping
from types import MappingProxyType

from citizen_account.connector_sdk.models import Text

# Words that Slovak case systems use. A word that is missing here is shown as it is.
ENGLISH: Mapping[str, str] = MappingProxyType(
    {
        "prijatá": "Received",
        "kontrola podkladov": "Checking the documents",
        "rozhodovanie": "The office is deciding",
        "rozhodnutá": "Decided",
        "vyhovené": "Granted",
        "zamietnuté": "Refused",
        "vzaté späť": "Withdrawn",
        "rezidentská parkovacia karta": "Resident parking card",
        "povolenie podujatia na ulici": "Permit for a street event",
        "súhlas na výrub dreviny": "Consent to fell a tree",
        "povolenie na rozkopávku": "Permit for excavation works",
    }
)
RECEIVED: Text = {"en": "Received", "sk": "Prijatá"}
APPLICATION: Text = {"en": "Application", "sk": "Žiadosť"}

ACT_ON_RECORDS: Text = {
    "en": (
        "The office must keep the records of its proceedings for the time that its retention "
        "schedule sets (Act No. 395/2002 Coll. on archives and registries; GDPR Art. 17 (3) "
        "(b) and (d)). Ask the registry of the office when they are due for disposal."
    ),
    "sk": (
        "Spisy o konaní musí úrad uchovávať po dobu, ktorú určuje jeho registratúrny plán "
        "(zákon č. 395/2002 Z. z. o archívoch a registratúrach; GDPR čl. 17 ods. 3 písm. b) "
        "a d)). Kedy sa vyradia, vám povie registratúra úradu."
    ),
}
LABELS: Mapping[str, Text] = MappingProxyType(
    {
        "cases": {"en": "Applications", "sk": "Žiadosti"},
        "number": {"en": "Reference", "sk": "Číslo"},
        "title": {"en": "Subject", "sk": "Predmet"},
        "kind": {"en": "Kind", "sk": "Druh"},
        "opened": {"en": "Opened", "sk": "Začatá"},
        "ended": {"en": "Closed", "sk": "Ukončená"},
        "due": {"en": "To be decided by", "sk": "Rozhodnúť do"},
        "reference": {"en": "Your reference at the office", "sk": "Vaše označenie na úrade"},
        "result": {"en": "Result", "sk": "Výsledok"},
        "steps": {"en": "Steps", "sk": "Kroky"},
        "properties": {"en": "Notes of the office", "sk": "Poznámky úradu"},
    }
)


def translated(word: str, language: str) -> Text:
    """Return what the source says, and its translation where it is known."""
    own = {language: word}
    english = ENGLISH.get(word.strip().lower())
    return {**own, "en": english} if english and language == "sk" else own


def joined(kind: Text, title: str) -> Text:
    """Return the kind of case with what this one is about, in each language of the kind."""
    words = {"": kind} if isinstance(kind, str) else dict(kind)
    if any(title.lower().startswith(word.lower()) for word in words.values()):
        return title
    return {language: f"{word}: {title}" if title else word for language, word in words.items()}


def wanted(text: str, language: str) -> Text:
    """Return what the office asks for; its own words stay in its language."""
    own = {language: text}
    return own if language == "en" else {**own, "en": f"The office asks you: {text}"}
