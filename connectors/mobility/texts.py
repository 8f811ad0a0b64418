"""Hold the connector's texts."""

from collections.abc import Mapping
from types import MappingProxyType

from citizen_account.connector_sdk.models import Text

RESIDENT_CARD: Text = {"en": "Resident parking card", "sk": "Rezidentská parkovacia karta"}
VISITOR_CARD: Text = {"en": "Visitor parking card", "sk": "Návštevnícka parkovacia karta"}
KEPT_FOR_ACCOUNTS: Text = {
    "en": (
        "Your parking card was paid for. The city keeps the contract while the card is valid "
        "and its accounting records for ten years after (Act No. 431/2002 Coll. on "
        "accounting, section 35; GDPR Art. 17 (3) (b))."
    ),
    "sk": (
        "Za parkovaciu kartu ste zaplatili. Zmluvu mesto vedie, kým karta platí, a účtovné "
        "záznamy desať rokov po nej (zákon č. 431/2002 Z. z. o účtovníctve, § 35; GDPR "
        "čl. 17 ods. 3 písm. b))."
    ),
}
LABELS: Mapping[str, Text] = MappingProxyType(
    {
        "cards": {"en": "Parking cards", "sk": "Parkovacie karty"},
        "title": {"en": "Kind", "sk": "Druh"},
        "plates": {"en": "Number plates", "sk": "Evidenčné čísla"},
        "areas": {"en": "Zones", "sk": "Zóny"},
        "valid_from": {"en": "Valid from", "sk": "Platí od"},
        "valid_to": {"en": "Valid until", "sk": "Platí do"},
        "remaining": {"en": "Minutes left", "sk": "Zostávajúce minúty"},
        "state": {"en": "State", "sk": "Stav"},
        "reference": {"en": "Your reference there", "sk": "Vaše označenie v systéme"},
    }
)
