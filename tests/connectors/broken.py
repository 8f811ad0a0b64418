"""Connectors that are broken on purpose, each in one way that a check of the suite must find."""

import json
import logging
from dataclasses import replace

from citizen_account.connector_sdk.errors import ConnectorError, RateLimited, Unavailable
from citizen_account.connector_sdk.example.connector import KEPT_BY_LAW, ExampleOffice
from citizen_account.connector_sdk.example.emulator import SECOND
from citizen_account.connector_sdk.http import ConnectorHttp
from citizen_account.connector_sdk.models import (
    Answer,
    Case,
    Condition,
    Context,
    Erasure,
    ErasureRefusal,
    Export,
    Health,
    HealthReport,
)

NAME = "Zuzana Nezábudková"


class ForgetsStrangers(ExampleOffice):
    async def list_cases(self, context: Context, cursor: str | None = None) -> Answer[Case]:
        answer = await super().list_cases(context, cursor)
        return Answer(answer.records, answer.as_of, answer.source) if not answer.records else answer


class FailsForStrangers(ExampleOffice):
    async def export(self, context: Context) -> Export:
        await self._http.get_json(f"{self._person(context.subject)}/applications")
        return await super().export(context)


class MixesResidents(ExampleOffice):
    async def list_cases(self, context: Context, cursor: str | None = None) -> Answer[Case]:
        own = await super().list_cases(context, cursor)
        if not own.records:
            return own
        other = await super().list_cases(replace(context, subject=SECOND), cursor)
        return replace(own, records=own.records + other.records)


class OpensAnything(ExampleOffice):
    async def get_case(self, context: Context, ref: str) -> Answer[Case]:
        every = [*(await self.list_cases(context)).records]
        every += (await self.list_cases(replace(context, subject=SECOND))).records
        found = [replace(case, subject=context.subject) for case in every if case.ref == ref]
        return self._answer(context, found)


class BelievesLies(ExampleOffice):
    async def list_cases(self, context: Context, cursor: str | None = None) -> Answer[Case]:
        answer = await super().list_cases(context, cursor)
        named = tuple(replace(case, subject=context.subject) for case in answer.records)
        return replace(answer, records=named)


class AlwaysWell(ExampleOffice):
    async def check(self) -> HealthReport:
        well = Health(Condition.OK)
        return HealthReport({"cases": well, "gdpr": well, "link": well})


class AlwaysMisconfigured(ExampleOffice):
    async def check(self) -> HealthReport:
        report = await super().check()
        if report.condition is Condition.OK:
            return report
        ill = Health(Condition.MISCONFIGURED)
        return HealthReport({"cases": ill, "gdpr": ill, "link": ill})


class AlwaysDown(ExampleOffice):
    async def check(self) -> HealthReport:
        report = await super().check()
        if report.condition is Condition.OK:
            return report
        down = Health(Condition.DOWN)
        return HealthReport({"cases": down, "gdpr": down, "link": down})


class HidesFaults(ExampleOffice):
    async def list_cases(self, context: Context, cursor: str | None = None) -> Answer[Case]:
        try:
            return await super().list_cases(context, cursor)
        except ConnectorError:
            return self._answer(context, [])


class WaitsForEver(ExampleOffice):
    async def list_cases(self, context: Context, cursor: str | None = None) -> Answer[Case]:
        patient = ConnectorHttp(self._http.base_url, self._http._transport)  # noqa: SLF001  # it has no right to
        return await ExampleOffice(self._office, patient).list_cases(context, cursor)


class ForgetsTheWait(ExampleOffice):
    async def list_cases(self, context: Context, cursor: str | None = None) -> Answer[Case]:
        try:
            return await super().list_cases(context, cursor)
        except RateLimited:
            raise RateLimited(1) from None


class Strict(ExampleOffice):
    async def list_cases(self, context: Context, cursor: str | None = None) -> Answer[Case]:
        raw = await self._http.get_json(f"{self._person(context.subject)}/applications")
        known = {"id", "owner", "number", "name", "state", "since"}
        if any(set(one) - known for one in raw if isinstance(one, dict)):  # type: ignore[union-attr]  # it does not look
            return self._answer(context, [])
        return await super().list_cases(context, cursor)


class TrustsTheSource(ExampleOffice):
    async def list_cases(self, context: Context, cursor: str | None = None) -> Answer[Case]:
        raw = await self._http.request(
            "GET", f"{self._person(context.subject)}/applications", expected=[404]
        )
        titles = [one["name"].upper() for one in raw.body] if raw.status == 200 else []  # type: ignore[index,union-attr,call-overload]  # it does not look
        answer = await super().list_cases(context, cursor)
        named = zip(answer.records, titles, strict=True)
        return replace(answer, records=tuple(replace(case, title=t) for case, t in named))


class ExportsNothing(ExampleOffice):
    async def export(self, context: Context) -> Export:
        return replace(await super().export(context), nodes=())


class ErasesOnTrial(ExampleOffice):
    async def erase(self, context: Context, *, dry_run: bool) -> Erasure:
        del dry_run
        return await super().erase(context, dry_run=False)


class RefusesInEnglish(ExampleOffice):
    async def erase(self, context: Context, *, dry_run: bool) -> Erasure:
        outcome = await super().erase(context, dry_run=dry_run)
        english = ErasureRefusal(KEPT_BY_LAW.code, {"en": "Kept by law."})
        return Erasure(outcome.subject, (english,) if outcome.refusals else ())


class RefusesTheSecondTime(ExampleOffice):
    erased: frozenset[str] = frozenset()

    async def erase(self, context: Context, *, dry_run: bool) -> Erasure:
        if context.subject in self.erased and not dry_run:
            return Erasure(context.subject, (KEPT_BY_LAW,))
        if not dry_run:
            self.erased |= {context.subject}
        return await super().erase(context, dry_run=dry_run)


class Talks(ExampleOffice):
    async def list_cases(self, context: Context, cursor: str | None = None) -> Answer[Case]:
        logging.getLogger("talks").debug("asked by %s", context.claims.get("given_name"))
        return await super().list_cases(context, cursor)


class PutsNamesInUrls(ExampleOffice):
    async def list_cases(self, context: Context, cursor: str | None = None) -> Answer[Case]:
        name = context.claims.get("given_name", "").split(" ")[0]
        await self._http.request("GET", f"hello/{name}{NAME}", expected=range(600))
        return await super().list_cases(context, cursor)


class RepeatsTheSource(ExampleOffice):
    async def list_cases(self, context: Context, cursor: str | None = None) -> Answer[Case]:
        reply = await self._http.request(
            "GET", f"{self._person(context.subject)}/applications", expected=range(400, 600)
        )
        if reply.status in {409, 500}:
            raise Unavailable(json.dumps(reply.body, ensure_ascii=False))
        return await super().list_cases(context, cursor)
