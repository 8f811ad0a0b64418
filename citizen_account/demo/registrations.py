"""Describe the clients of the small city, as their operators would hand them in."""

from collections.abc import Mapping

from citizen_account.demo.city import ACCOUNT_AT_EID, LIBRARY_CLIENT, Part, SmallCity
from citizen_account.demo.library.account import SCOPE
from citizen_account.domain.assurance import ACR_OF_LEVEL
from citizen_account.domain.upstreams import UpstreamId

EID = UpstreamId("eid")
EID_SCOPES = ("openid", "profile")


def library_metadata(city: SmallCity) -> Mapping[str, object]:
    """Return what `client import` takes for the City Library."""
    here = city.address_of(Part.LIBRARY)
    return {
        "client_id": LIBRARY_CLIENT,
        "client_secret": city.secret("library_client_secret"),
        "client_name": {"sk": "Mestská knižnica", "en": "City Library"},
        "operator": {"sk": "Mestská knižnica Dunajské Mesto", "en": "Dunajské Mesto City Library"},
        "service_url": here,
        "first_party": True,
        "redirect_uris": [f"{here}/callback"],
        "post_logout_redirect_uris": [f"{here}/signed-out"],
        "backchannel_logout_uri": f"{here}/backchannel-logout",
        "backchannel_logout_session_required": True,
        # Refreshed while the resident is signed in: no offline_access is asked for.
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "client_secret_basic",
        "scope": SCOPE,
        "subject_type": "pairwise",
        "purposes": [_card(), _reminders()],
    }


def account_at_eid_metadata(city: SmallCity) -> Mapping[str, object]:
    """Return what the eID's operator imports for the city account."""
    account = city.address_of(Part.ACCOUNT)
    return {
        "client_id": ACCOUNT_AT_EID,
        "client_secret": city.secret("eid_client_secret"),
        "client_name": {"sk": "Mestské konto", "en": "City account"},
        "operator": {"sk": "Mesto Dunajské Mesto", "en": "City of Dunajské Mesto"},
        "service_url": account,
        "redirect_uris": [f"{account}/upstream/{EID}/callback"],
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "client_secret_basic",
        "scope": " ".join(EID_SCOPES),
        "purposes": [_identification()],
    }


def upstreams(city: SmallCity) -> list[Mapping[str, object]]:
    """Return the account's list of other providers: the eID alone."""
    return [
        {
            "id": EID,
            "issuer": city.address_of(Part.EID),
            "client_id": ACCOUNT_AT_EID,
            "client_secret": city.secret("eid_client_secret"),
            "scopes": list(EID_SCOPES),
            "title": {"sk": "Národné eID (skúšobné)", "en": "National eID (test)"},
            "acr": {acr: level for level, acr in ACR_OF_LEVEL.items()},
        }
    ]


def _card() -> Mapping[str, object]:
    return {
        "id": "readers-card",
        "text": {
            "sk": "Viesť váš čitateľský preukaz, výpožičky a rezervácie.",
            "en": "Keep your reader's card, loans and reservations.",
        },
        "legal_basis": "contract",
        "legal_reference": "Knižničný poriadok, čl. 3; GDPR čl. 6 ods. 1 písm. b)",
        "retention": "P3Y",
        "claims": [
            {
                "name": "name",
                "required": True,
                "reason": {"sk": "stojí na preukaze", "en": "stands on the card"},
            },
            {
                "name": "email",
                "required": True,
                "reason": {
                    "sk": "oznámenie, že čaká rezervovaná kniha",
                    "en": "to say that a reserved book waits",
                },
            },
        ],
    }


def _reminders() -> Mapping[str, object]:
    return {
        "id": "phone-reminders",
        "text": {
            "sk": "Pripomenúť vám termín vrátenia správou do telefónu.",
            "en": "Remind you by a text message when a book is due.",
        },
        "legal_basis": "consent",
        "retention": "P1Y",
        "claims": [
            {
                "name": "phone_number",
                "required": False,
                "reason": {"sk": "posiela sa naň správa", "en": "the message is sent there"},
            }
        ],
    }


def _identification() -> Mapping[str, object]:
    def claim(name: str, sk: str, en: str) -> Mapping[str, object]:
        return {"name": name, "required": True, "reason": {"sk": sk, "en": en}}

    return {
        "id": "identification",
        "text": {
            "sk": "Overiť vašu totožnosť pre mestské konto.",
            "en": "Confirm who you are to the city account.",
        },
        "legal_basis": "public_task",
        "legal_reference": "Zákon č. 305/2013 Z. z. o e-Governmente, § 21",
        "retention": "P1Y",
        "claims": [
            claim("given_name", "meno v konte", "the name in the account"),
            claim("family_name", "meno v konte", "the name in the account"),
            claim("birthdate", "odlíši menovcov", "tells namesakes apart"),
        ],
    }
