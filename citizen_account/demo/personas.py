# ruff: noqa: S106 - the passwords are public, and open nothing but invented facts
"""Invent the people of the small city. Their passwords are public: nothing here is real."""

from collections.abc import Sequence
from dataclasses import dataclass

from citizen_account.demo.city_facts import JANA, PAVOL
from citizen_account.domain.accounts import Address, Level, Profile, Role
from citizen_account.domain.emails import EmailAddress


@dataclass(frozen=True, slots=True)
class Persona:
    name: str
    """As on the city's letters."""
    email: str
    password: str
    """Four invented words and a number."""
    story: str
    profile: Profile
    level: Level = Level.LOW
    language: str = "sk"
    role: Role | None = None

    @property
    def address(self) -> EmailAddress:
        return EmailAddress(self.email)


PERSONAS: Sequence[Persona] = (
    Persona(
        name=JANA,
        email="jana.kovacova@dunajske-mesto.example",
        password="kolobka zvonila pod mostom 47",
        story="parent: two applications, waits for a city flat",
        profile=Profile(
            given_name="Jana",
            family_name="Kováčová",
            phone_number="+421900000101",
            address=Address("Lipová 4", "945 99", "Dunajské Mesto", "SK"),
        ),
    ),
    Persona(
        name=PAVOL,
        email="pavol.hruska@dunajske-mesto.example",
        password="ceresna dozrela vedla lavice 62",
        story="pensioner: a parking card that soon ends",
        profile=Profile(
            given_name="Pavol",
            family_name="Hruška",
            address=Address("Nábrežná 17", "945 99", "Dunajské Mesto", "SK"),
        ),
    ),
    Persona(
        name="Nina Veselá",
        email="nina.vesela@dunajske-mesto.example",
        password="vlak meskal kvoli husiam 18",
        story="student: nothing yet",
        profile=Profile(given_name="Nina", family_name="Veselá"),
    ),
    Persona(
        name="Róbert Sova",
        email="robert.sova@dunajske-mesto.example",
        password="havran strazi stare spisy 35",
        story="administrator of the account",
        profile=Profile(given_name="Róbert", family_name="Sova"),
        role=Role.ADMINISTRATOR,
    ),
)

# The people whom the test eID knows. Jana is the same Jana, so that she can connect the two; the
# other two have never been here.
EID_PERSONAS: Sequence[Persona] = (
    Persona(
        name=JANA,
        email="jana@eid.example",
        password="karta lezi blizko okna 47",
        story="has an account: sign in with the eID, then connect it",
        profile=Profile(given_name="Jana", family_name="Kováčová", birthdate="1988-05-17"),
        level=Level.HIGH,
    ),
    Persona(
        name="Ema Brezová",
        email="ema@eid.example",
        password="javor rastie pri obchode 29",
        story="first time here: the eID opens her account",
        profile=Profile(given_name="Ema", family_name="Brezová", birthdate="1995-11-02"),
        level=Level.HIGH,
    ),
    Persona(
        name="Karol Dudek",
        email="karol@eid.example",
        password="drozd hniezdi nad dvorom 71",
        story="first time here: the eID opens his account",
        profile=Profile(given_name="Karol", family_name="Dudek", birthdate="1969-03-30"),
        level=Level.HIGH,
    ),
)
