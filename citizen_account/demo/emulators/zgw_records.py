"""Write the permit applications down as ZGW records, in the shapes that Open Zaak 1.30 answers."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from uuid import NAMESPACE_URL, UUID, uuid5

from citizen_account.demo.city_facts import CASE_KINDS, CITY, CaseKind, PermitCase, Reached
from citizen_account.demo.emulators.faults import Json

ORGANISATION = "000000000"
IN_FORCE = "2026-01-01"
OFFICE_OPENS = time(9, 15)
GENERIC_STEPS = ("received", "checking", "deciding", "decided")
GENERIC_RESULTS = {"Vyhovené": "granted", "Zamietnuté": "refused", "Vzaté späť": "withdrawn"}
# What the office wants of the applicant: the standard's place for such facts is the case's
# properties, defined by the catalogue of the case type.
WANTED, WANTED_BY = "gevraagde_actie", "actie_uiterlijk"
ADDRESSEE_OF_A_STRANGER = "r-somebody-else"


@cache
def uuid_of(*parts: str) -> UUID:
    """Return the same UUID for the same thing in every run."""
    return uuid5(NAMESPACE_URL, ":".join(("dunajske-mesto", *parts)))


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The Catalogi API's records; `root` ends without a slash."""

    root: str

    def url(self, collection: str, *parts: str) -> str:
        return f"{self.root}/catalogi/api/v1/{collection}/{uuid_of(collection, *parts)}"

    @property
    def catalogue_url(self) -> str:
        return self.url("catalogussen", CITY)

    def case_type(self, kind: CaseKind) -> Json:
        return {
            "url": self.url("zaaktypen", kind.code),
            "identificatie": kind.code,
            "omschrijving": kind.title,
            "omschrijvingGeneriek": "",
            "vertrouwelijkheidaanduiding": "vertrouwelijk",
            "doel": "povolenie",
            "aanleiding": "žiadosť",
            "toelichting": "",
            "indicatieInternOfExtern": "extern",
            "handelingInitiator": "aanvragen",
            "onderwerp": kind.title,
            "handelingBehandelaar": "behandelen",
            "doorlooptijd": "P30D",
            "servicenorm": None,
            "opschortingEnAanhoudingMogelijk": False,
            "verlengingMogelijk": False,
            "verlengingstermijn": None,
            "trefwoorden": [],
            "publicatieIndicatie": False,
            "publicatietekst": "",
            "verantwoordingsrelatie": [],
            "productenOfDiensten": [],
            "selectielijstProcestype": "",
            "referentieproces": {"naam": kind.code.lower(), "link": ""},
            "concept": False,
            "verantwoordelijke": ORGANISATION,
            "broncatalogus": {"url": "", "domein": "", "rsin": ""},
            "bronzaaktype": {"url": "", "identificatie": "", "omschrijving": ""},
            "beginGeldigheid": IN_FORCE,
            "eindeGeldigheid": None,
            "versiedatum": IN_FORCE,
            "beginObject": IN_FORCE,
            "eindeObject": None,
            "catalogus": self.catalogue_url,
            "statustypen": [step["url"] for step in self.status_types(kind)],
            "resultaattypen": [result["url"] for result in self.result_types(kind)],
            "eigenschappen": [self.url("eigenschappen", kind.code, WANTED)],
            "informatieobjecttypen": [],
            "roltypen": [self.url("roltypen", kind.code)],
            "besluittypen": [],
            "deelzaaktypen": [],
            "gerelateerdeZaaktypen": [],
            "zaakobjecttypen": [],
        }

    def status_types(self, kind: CaseKind) -> list[Json]:
        """Return the steps, the last first, as Open Zaak orders them."""
        numbers = range(len(kind.steps), 0, -1)
        return [self._status_type(kind, number) for number in numbers]

    def _status_type(self, kind: CaseKind, number: int) -> Json:
        return {
            "url": self.url("statustypen", kind.code, str(number)),
            "omschrijving": kind.steps[number - 1],
            "omschrijvingGeneriek": GENERIC_STEPS[number - 1],
            "statustekst": "",
            "zaaktype": self.url("zaaktypen", kind.code),
            "zaaktypeIdentificatie": kind.code,
            "volgnummer": number,
            "isEindstatus": number == len(kind.steps),
            "informeren": False,
            "doorlooptijd": None,
            "toelichting": None,
            "checklistitemStatustype": [],
            "catalogus": self.catalogue_url,
            "eigenschappen": [],
            "zaakobjecttypen": [],
            "beginGeldigheid": None,
            "eindeGeldigheid": None,
            "beginObject": IN_FORCE,
            "eindeObject": None,
        }

    def result_types(self, kind: CaseKind) -> list[Json]:
        return [self._result_type(kind, result) for result in kind.results]

    def _result_type(self, kind: CaseKind, result: str) -> Json:
        return {
            "url": self.url("resultaattypen", kind.code, result),
            "zaaktype": self.url("zaaktypen", kind.code),
            "zaaktypeIdentificatie": kind.code,
            "omschrijving": result,
            "resultaattypeomschrijving": self.url("resultaattypeomschrijvingen", result),
            "omschrijvingGeneriek": GENERIC_RESULTS[result],
            "selectielijstklasse": self.url("selectielijst", "povolenia"),
            "toelichting": "",
            "archiefnominatie": "vernietigen",
            "archiefactietermijn": "P10Y",
            "brondatumArchiefprocedure": None,
            "procesobjectaard": "",
            "indicatieSpecifiek": None,
            "procestermijn": None,
            "catalogus": self.catalogue_url,
            "besluittypen": [],
            "besluittypeOmschrijving": [],
            "informatieobjecttypen": [],
            "informatieobjecttypeOmschrijving": [],
            "beginGeldigheid": None,
            "eindeGeldigheid": None,
            "beginObject": IN_FORCE,
            "eindeObject": "2099-12-31",
        }


@dataclass(frozen=True, slots=True)
class Cases:
    """The Zaken API's records on one day."""

    root: str
    today: date

    def url(self, collection: str, *parts: str) -> str:
        return f"{self.root}/zaken/api/v1/{collection}/{uuid_of(collection, *parts)}"

    def case_url(self, case: PermitCase) -> str:
        return self.url("zaken", case.number)

    def case(self, case: PermitCase) -> Json:
        started, ended = self._day(-case.started), case.ended
        catalogue = Catalogue(self.root)
        return {
            "url": self.case_url(case),
            "uuid": str(uuid_of("zaken", case.number)),
            "identificatie": case.number,
            "bronorganisatie": ORGANISATION,
            "omschrijving": case.title,
            "toelichting": "",
            "zaaktype": catalogue.url("zaaktypen", case.kind),
            "registratiedatum": started,
            "verantwoordelijkeOrganisatie": ORGANISATION,
            "startdatum": started,
            "einddatum": None if ended is None else self._day(-ended),
            "einddatumGepland": None,
            "uiterlijkeEinddatumAfdoening": self._day(case.due),
            "publicatiedatum": None,
            "laatstGemuteerd": self._moment(case.reached[-1].days_ago),
            "laatstGeopend": None,
            "communicatiekanaal": "",
            "communicatiekanaalNaam": "",
            "productenOfDiensten": [],
            "vertrouwelijkheidaanduiding": "vertrouwelijk",
            "betalingsindicatie": "",
            "betalingsindicatieWeergave": "",
            "laatsteBetaaldatum": None,
            "zaakgeometrie": None,
            "verlenging": None,
            "opschorting": {"indicatie": False, "eerdereOpschorting": False, "reden": ""},
            "selectielijstklasse": "",
            "hoofdzaak": None,
            "deelzaken": [],
            "relevanteAndereZaken": [],
            "gerelateerdeZaken": [],
            "eigenschappen": [one["url"] for one in self.properties(case)],
            "rollen": [self.url("rollen", case.number)],
            "status": self.statuses(case)[0]["url"],
            "zaakinformatieobjecten": [],
            "zaakobjecten": [],
            "kenmerken": [],
            "archiefnominatie": None,
            "archiefstatus": "nog_te_archiveren",
            "archiefactiedatum": None,
            "resultaat": self.url("resultaten", case.number) if case.result else None,
            "opdrachtgevendeOrganisatie": "",
            "processobjectaard": "",
            "startdatumBewaartermijn": None,
            "processobject": {
                "datumkenmerk": "",
                "identificatie": "",
                "objecttype": "",
                "registratie": "",
            },
        }

    def statuses(self, case: PermitCase) -> list[Json]:
        """Return the statuses that were set, the latest first."""
        latest = case.reached[-1]
        return [self._status(case, one, is_latest=one is latest) for one in case.reached[::-1]]

    def _status(self, case: PermitCase, reached: Reached, *, is_latest: bool) -> Json:
        number = str(reached.number)
        return {
            "url": self.url("statussen", case.number, number),
            "uuid": str(uuid_of("statussen", case.number, number)),
            "zaak": self.case_url(case),
            "statustype": Catalogue(self.root).url("statustypen", case.kind, number),
            "datumStatusGezet": self._moment(reached.days_ago),
            "statustoelichting": reached.note,
            "indicatieLaatstGezetteStatus": is_latest,
            "gezetdoor": None,
            "zaakinformatieobjecten": [],
        }

    def result(self, case: PermitCase) -> Json:
        return {
            "url": self.url("resultaten", case.number),
            "uuid": str(uuid_of("resultaten", case.number)),
            "zaak": self.case_url(case),
            "resultaattype": Catalogue(self.root).url("resultaattypen", case.kind, case.result),
            "toelichting": case.reached[-1].note,
        }

    def properties(self, case: PermitCase) -> list[Json]:
        if case.wanted is None:
            return []
        by = self._day(case.wanted.within_days)
        return [
            self._property(case, WANTED, case.wanted.text),
            self._property(case, WANTED_BY, by),
        ]

    def _property(self, case: PermitCase, name: str, value: str) -> Json:
        return {
            "url": f"{self.case_url(case)}/zaakeigenschappen/{uuid_of('zei', case.number, name)}",
            "uuid": str(uuid_of("zei", case.number, name)),
            "zaak": self.case_url(case),
            "eigenschap": Catalogue(self.root).url("eigenschappen", case.kind, name),
            "naam": name,
            "waarde": value,
        }

    def role(self, case: PermitCase, subject: str) -> Json:
        """Return the applicant's role; the subject stands where the standard has other persons."""
        return {
            "url": self.url("rollen", case.number),
            "uuid": str(uuid_of("rollen", case.number)),
            "zaak": self.case_url(case),
            "betrokkene": "",
            "betrokkeneType": "natuurlijk_persoon",
            "afwijkendeNaamBetrokkene": "",
            "roltype": Catalogue(self.root).url("roltypen", case.kind),
            "omschrijving": "Žiadateľ",
            "omschrijvingGeneriek": "initiator",
            "roltoelichting": "žiadateľ",
            "registratiedatum": self._moment(case.started),
            "indicatieMachtiging": "",
            "contactpersoonRol": {
                "emailadres": "",
                "functie": "",
                "telefoonnummer": "",
                "naam": "",
            },
            "statussen": [],
            "beginGeldigheid": None,
            "eindeGeldigheid": None,
            "betrokkeneIdentificatie": {
                "inpBsn": "",
                "anpIdentificatie": subject if case.letter else ADDRESSEE_OF_A_STRANGER,
                "inpA_nummer": "",
                "geslachtsnaam": "",
                "voorvoegselGeslachtsnaam": "",
                "voorletters": "",
                "voornamen": "",
                "geslachtsaanduiding": "",
                "geboortedatum": "",
                "verblijfsadres": None,
                "subVerblijfBuitenland": None,
            },
            "authenticatieContext": None,
        }

    def _day(self, offset: int) -> str:
        return (self.today + timedelta(days=offset)).isoformat()

    def _moment(self, days_ago: int) -> str:
        day = self.today - timedelta(days=days_ago)
        return datetime.combine(day, OFFICE_OPENS, UTC).isoformat().replace("+00:00", "Z")


KINDS = {kind.code: kind for kind in CASE_KINDS}
