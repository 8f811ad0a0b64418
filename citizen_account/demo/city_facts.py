"""Invent the city business of the personas: letters, applications, flats and parking cards.

All people, numbers, plates and streets are invented. Days count from today, so that the small
city never ages.
"""

from collections.abc import Sequence
from dataclasses import dataclass

CITY = "Dunajské Mesto"
# An invented place on the Danube.
CENTRE = (47.8850, 17.7260)

JANA = "Jana Kováčová"
PAVOL = "Pavol Hruška"
NEWCOMER = "new resident"

PERMITS, HOUSING, MOBILITY = "permits", "housing", "mobility"


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter of the city on paper: who can type it off proves that it came to her address."""

    persona: str
    service: str
    reference: str
    secret: str


LETTERS = (
    Letter(JANA, PERMITS, "MAG-2026-47301", "K7QP-4MZD"),
    Letter(PAVOL, PERMITS, "MAG-2026-30218", "T3HX-9WRB"),
    Letter(NEWCOMER, PERMITS, "MAG-2026-51874", "B6NC-2YFK"),
    Letter(NEWCOMER, PERMITS, "MAG-2026-52660", "R9DM-7XGT"),
    Letter(JANA, HOUSING, "BYT-2024-00318", "H4VL-8QPA"),
    Letter(NEWCOMER, HOUSING, "BYT-2026-00947", "W2ZK-5JTE"),
    Letter(PAVOL, MOBILITY, "PARK-2025-08812", "N8GF-3CVX"),
    Letter(NEWCOMER, MOBILITY, "PARK-2026-11407", "D5TR-6BHM"),
)


def letters() -> Sequence[dict[str, str]]:
    """Return the city's paper mail as `/dev/letters.json` shows it."""
    return [
        {
            "persona": letter.persona,
            "service": letter.service,
            "reference": letter.reference,
            "secret": letter.secret,
        }
        for letter in LETTERS
    ]


# --- applications for permits ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CaseKind:
    """A kind of application, with its steps in order; the last one ends it."""

    code: str
    title: str
    steps: tuple[str, ...]
    results: tuple[str, ...] = ("Vyhovené", "Zamietnuté", "Vzaté späť")


@dataclass(frozen=True, slots=True)
class Reached:
    """A step that the office has set."""

    number: int
    days_ago: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the office waits for."""

    text: str
    within_days: int


@dataclass(frozen=True, slots=True)
class PermitCase:
    letter: str
    number: str
    kind: str
    title: str
    started: int
    due: int
    """Days from today until the office must have decided; negative in the past."""
    reached: tuple[Reached, ...]
    wanted: Wanted | None = None
    result: str = ""
    ended: int | None = None


STEPS = ("Prijatá", "Kontrola podkladov", "Rozhodovanie", "Rozhodnutá")
CASE_KINDS = (
    CaseKind("PARKOVACIA-KARTA", "Rezidentská parkovacia karta", STEPS),
    CaseKind("PODUJATIE", "Povolenie podujatia na ulici", STEPS),
    CaseKind("VYRUB", "Súhlas na výrub dreviny", STEPS),
    CaseKind("ROZKOPAVKA", "Povolenie na rozkopávku", STEPS),
)

PERMIT_CASES = (
    PermitCase(
        "MAG-2026-47301",
        "PK-2026-10482",
        "PARKOVACIA-KARTA",
        "Lipová 4",
        started=11,
        due=19,
        reached=(Reached(1, 11), Reached(2, 4, "Chýba kópia technického preukazu.")),
        wanted=Wanted("Doplňte kópiu technického preukazu vozidla.", 9),
    ),
    PermitCase(
        "MAG-2026-47301",
        "MAG-2026-47288",
        "PODUJATIE",
        "Susedská slávnosť na Lipovej ulici",
        started=18,
        due=12,
        reached=(Reached(1, 18), Reached(2, 14), Reached(3, 6)),
    ),
    PermitCase(
        "MAG-2026-30218",
        "ZP-2026-00763",
        "VYRUB",
        "Suchá čerešňa, Nábrežná 17",
        started=74,
        due=-16,
        reached=(
            Reached(1, 74),
            Reached(2, 66),
            Reached(3, 41),
            Reached(4, 20, "Súhlas platí do konca februára."),
        ),
        result="Vyhovené",
        ended=20,
    ),
    PermitCase(
        "MAG-2026-51874",
        "PK-2026-11960",
        "PARKOVACIA-KARTA",
        "Mlynská 23",
        started=9,
        due=21,
        reached=(Reached(1, 9), Reached(2, 3, "Chýba doklad o vlastníctve bytu.")),
        wanted=Wanted("Doplňte doklad o vlastníctve alebo nájme bytu.", 12),
    ),
    PermitCase(
        "MAG-2026-51874",
        "MAG-2026-51802",
        "ROZKOPAVKA",
        "Prípojka vody, Mlynská 23",
        started=25,
        due=5,
        reached=(Reached(1, 25), Reached(2, 19), Reached(3, 8)),
    ),
    PermitCase(
        "MAG-2026-52660",
        "MAG-2026-52655",
        "PODUJATIE",
        "Premietanie filmu v parku pri Dunaji",
        started=2,
        due=28,
        reached=(Reached(1, 2),),
    ),
    PermitCase(
        "MAG-2026-52660",
        "ZP-2026-01114",
        "VYRUB",
        "Stará lipa, Záhradná 8",
        started=40,
        due=20,
        reached=(Reached(1, 40), Reached(2, 31), Reached(3, 12)),
    ),
)
# Somebody else's case: what a lying register answers with.
STRANGERS_CASE = PermitCase(
    "",
    "MAG-2026-90001",
    "PODUJATIE",
    "Cudzie podujatie",
    started=6,
    due=24,
    reached=(Reached(1, 6),),
)


# --- the list for city flats ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FlatOffer:
    number: str
    address: str
    rent_cents: int
    offered: int
    viewing_in: int
    answer_in: int


@dataclass(frozen=True, slots=True)
class FlatApplication:
    letter: str
    number: str
    list_code: str
    list_title: str
    registered: int
    position: int
    of: int
    counted: int
    """Days since the list was last put in order."""
    renew_in: int
    waiting_months: int
    offers: tuple[FlatOffer, ...] = ()


FLAT_APPLICATIONS = (
    FlatApplication(
        "BYT-2024-00318",
        "BYT-2024-00318",
        "ZOZNAM-3I",
        "Mestské nájomné byty, trojizbové",
        registered=731,
        position=4,
        of=187,
        counted=3,
        renew_in=118,
        waiting_months=27,
        offers=(FlatOffer("PON-2026-0071", "Vrbová 12, 3. poschodie", 38450, 2, 4, 8),),
    ),
    FlatApplication(
        "BYT-2026-00947",
        "BYT-2026-00947",
        "ZOZNAM-2I",
        "Mestské nájomné byty, dvojizbové",
        registered=96,
        position=143,
        of=412,
        counted=3,
        renew_in=269,
        waiting_months=34,
    ),
)
STRANGERS_APPLICATION = FlatApplication(
    "",
    "BYT-2023-00001",
    "ZOZNAM-1I",
    "Mestské nájomné byty, jednoizbové",
    registered=900,
    position=1,
    of=77,
    counted=3,
    renew_in=60,
    waiting_months=31,
)


# --- parking --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ParkingProduct:
    code: str
    title_sk: str
    title_en: str
    zone: str


@dataclass(frozen=True, slots=True)
class ParkingCard:
    letter: str
    number: str
    product: str
    plate: str
    issued: int
    expires: int
    minutes_total: int | None = None
    minutes_left: int | None = None


PARKING_PRODUCTS = (
    ParkingProduct("REZIDENT-DM1", "Rezidentská karta, zóna DM1", "Resident card, zone DM1", "DM1"),
    ParkingProduct("REZIDENT-DM2", "Rezidentská karta, zóna DM2", "Resident card, zone DM2", "DM2"),
    ParkingProduct("NAVSTEVA-DM1", "Návštevnícka karta, zóna DM1", "Visitor card, zone DM1", "DM1"),
)
PARKING_CARDS = (
    ParkingCard("PARK-2025-08812", "RK-08812", "REZIDENT-DM1", "DM418HR", issued=351, expires=14),
    ParkingCard(
        "PARK-2025-08812",
        "NK-08812",
        "NAVSTEVA-DM1",
        "DM418HR",
        issued=351,
        expires=14,
        minutes_total=6000,
        minutes_left=1260,
    ),
    ParkingCard("PARK-2026-11407", "RK-11407", "REZIDENT-DM2", "DM203KL", issued=58, expires=307),
    ParkingCard(
        "PARK-2026-11407",
        "NK-11407",
        "NAVSTEVA-DM1",
        "DM203KL",
        issued=58,
        expires=307,
        minutes_total=6000,
        minutes_left=5520,
    ),
)
STRANGERS_CARD = ParkingCard("", "RK-90001", "REZIDENT-DM1", "DM999ZZ", issued=10, expires=300)


# --- bikes ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Dock:
    """A bike station; metres north and east of the centre of the city."""

    code: str
    name: str
    north: int
    east: int
    capacity: int
    bikes: int
    ebikes: int
    is_installed: bool = True
    is_renting: bool = True
    silent_hours: int = 0
    """How long the station has said nothing."""


DOCKS_OLD = (
    Dock("dm-001", "Hlavné námestie", 40, 20, 20, 5, 2),
    Dock("dm-002", "Radnica", 160, -90, 16, 0, 0),
    Dock("dm-003", "Prístav", -420, 310, 24, 9, 3),
    Dock("dm-004", "Tržnica", 300, 480, 14, 4, 0, is_renting=False),
    Dock("dm-005", "Kúpalisko", 900, -700, 12, 0, 0, is_installed=False, is_renting=False),
    Dock("dm-006", "Stará pošta", -150, -260, 10, 6, 1, silent_hours=29),
)
DOCKS_NEW = (
    Dock("dn-001", "Knižnica", 110, 130, 18, 4, 7),
    Dock("dn-002", "Železničná stanica", 780, 260, 30, 11, 9),
    Dock("dn-003", "Most na ostrov", -520, -140, 12, 0, 3),
    Dock("dn-004", "Nemocnica", 1300, 900, 15, 2, 2),
)
