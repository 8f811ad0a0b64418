"""Hold the connector's texts, and translate what the housing system says."""

from collections.abc import Mapping
from types import MappingProxyType

from citizen_account.connector_sdk.models import Text

# Words that Slovak housing systems use. A word that is missing here is shown as it is.
ENGLISH: Mapping[str, str] = MappingProxyType(
    {
        "na čakacej listine": "On the waiting list",
        "mestské nájomné byty, jednoizbové": "City flats, one room",
        "mestské nájomné byty, dvojizbové": "City flats, two rooms",
        "mestské nájomné byty, trojizbové": "City flats, three rooms",
    }
)
APPLICATION: Text = {"en": "Application for a city flat", "sk": "Žiadosť o mestský byt"}
WAITING: Text = {"en": "On the waiting list", "sk": "Na čakacej listine"}
OFFERED: Text = {"en": "A flat is offered to you", "sk": "Máte ponuku bytu"}
ASSIGNED: Text = {"en": "Flat assigned", "sk": "Byt pridelený"}
REGISTERED: Text = {"en": "Registered", "sk": "Zaevidovaná"}
BASIS: Text = {"en": "by day of registration", "sk": "podľa dňa zaevidovania žiadosti"}
ANSWER: Text = {
    "en": "See the flat and tell the housing office whether you take it.",
    "sk": "Pozrite si byt a oznámte bytovému oddeleniu, či ho prijímate.",
}
RENEW: Text = {
    "en": "Confirm that your application still stands, or it falls off the list.",
    "sk": "Potvrďte, že vaša žiadosť trvá. Inak ju zo zoznamu vyradia.",
}
KEPT_WHILE_OPEN: Text = {
    "en": (
        "Your application for a flat is open. The housing office keeps it as long as you are "
        "on the list (GDPR Art. 6 (1) (b)); withdraw it there first. The e-mail address for "
        "offers was taken back."
    ),
    "sk": (
        "Vaša žiadosť o byt je otvorená. Bytové oddelenie ju vedie, kým ste na zozname "
        "(GDPR čl. 6 ods. 1 písm. b)); najprv ju tam vezmite späť. E-mailovú adresu pre "
        "ponuky sme zrušili."
    ),
}
WOULD_BE_KEPT: Text = {
    "en": (
        "Your application for a flat is open. The housing office keeps it as long as you are "
        "on the list (GDPR Art. 6 (1) (b)); withdraw it there first. Only the e-mail address "
        "for offers can be taken back now."
    ),
    "sk": (
        "Vaša žiadosť o byt je otvorená. Bytové oddelenie ju vedie, kým ste na zozname "
        "(GDPR čl. 6 ods. 1 písm. b)); najprv ju tam vezmite späť. Teraz možno zrušiť iba "
        "e-mailovú adresu pre ponuky."
    ),
}
LABELS: Mapping[str, Text] = MappingProxyType(
    {
        "applications": {"en": "Applications for a flat", "sk": "Žiadosti o byt"},
        "number": {"en": "Reference", "sk": "Číslo"},
        "list": {"en": "List", "sk": "Zoznam"},
        "registered": {"en": "Registered", "sk": "Zaevidovaná"},
        "status": {"en": "State", "sk": "Stav"},
        "position": {"en": "Place on the list", "sk": "Poradie"},
        "reference": {"en": "Your reference at the office", "sk": "Vaše označenie na úrade"},
        "extras": {"en": "Further facts", "sk": "Ďalšie údaje"},
        "offers": {"en": "Offers", "sk": "Ponuky"},
        "address": {"en": "Address", "sk": "Adresa"},
        "answer_by": {"en": "Answer by", "sk": "Odpovedať do"},
        "viewing_at": {"en": "Viewing", "sk": "Obhliadka"},
        "rent": {"en": "Monthly rent", "sk": "Mesačné nájomné"},
        "email": {"en": "E-mail address for offers", "sk": "E-mailová adresa pre ponuky"},
    }
)


def translated(word: str, language: str) -> Text:
    """Return what the source says, and its translation where it is known."""
    own = {language: word}
    english = ENGLISH.get(word.strip().lower())
    return {**own, "en": english} if english and language == "sk" else own
