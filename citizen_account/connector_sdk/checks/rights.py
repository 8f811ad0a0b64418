"""Checks of export and erasure (17 and 18)."""

from collections.abc import Iterable, Iterator

from citizen_account.connector_sdk.acceptance import AcceptanceTarget
from citizen_account.connector_sdk.checks.calls import Question, answer_of, shown
from citizen_account.connector_sdk.checks.require import is_a, require
from citizen_account.connector_sdk.manifest import LANGUAGES
from citizen_account.connector_sdk.models import (
    Case,
    Context,
    Entitlement,
    Erasure,
    Export,
    ExportNode,
)
from citizen_account.connector_sdk.protocol import GdprCapability


async def export_covers_what_is_shown(target: AcceptanceTarget) -> None:
    """17: every record that the resident is shown stands in her export."""
    connector = target.connector()
    if connector.gdpr is None:
        return
    for context in target.residents:
        export = await _export(connector.gdpr, context)
        require(export.subject == context.subject, "the export names another subject")
        said = set(_values(export.nodes))
        for record in await shown(connector, context):
            known = _names_of(record) & said
            require(known, f"a record of the kind {_kind_of(record)} is not in the export")


def _names_of(record: Case | Entitlement) -> set[str]:
    names = {record.ref}
    return names | ({record.reference} if isinstance(record, Case) else set(record.credentials))


def _kind_of(record: Case | Entitlement) -> str:
    return record.type if isinstance(record, Case) else record.kind


def _values(nodes: Iterable[ExportNode]) -> Iterator[str]:
    for node in nodes:
        if node.value is not None:
            yield str(node.value)
        yield from _values(node.children)


async def erasing_keeps_its_word(target: AcceptanceTarget) -> None:
    """18: a dry run changes nothing, erasing twice is fine, a refusal says why to everybody."""
    connector = target.connector()
    gdpr = connector.gdpr
    if gdpr is None:
        return
    for context in target.residents:
        before = await shown(connector, context)
        trial = await _erase(gdpr, context, dry_run=True)
        require(await shown(connector, context) == before, "a dry run changes what is there")
        done = await _erase(gdpr, context, dry_run=False)
        require(done.is_allowed is trial.is_allowed, "erasing does not do as its dry run said")
        if done.is_allowed:
            require(not (await _export(gdpr, context)).nodes, "something is left after erasing")
            again = await _erase(gdpr, context, dry_run=False)
            require(again.is_allowed, "erasing twice is refused")


async def _erase(gdpr: GdprCapability, context: Context, *, dry_run: bool) -> Erasure:
    asked = Question("erase", Erasure, lambda: gdpr.erase(context, dry_run=dry_run))
    outcome = is_a(Erasure, await answer_of(asked))
    for refusal in outcome.refusals:
        # The reason is read by the resident, who may know one language only.
        spoken = refusal.text if not isinstance(refusal.text, str) else {}
        missing = [language for language in LANGUAGES if not spoken.get(language)]
        require(not missing, f"the refusal {refusal.code} is silent in {', '.join(missing)}")
    return outcome


async def _export(gdpr: GdprCapability, context: Context) -> Export:
    asked = Question("export", Export, lambda: gdpr.export(context))
    return is_a(Export, await answer_of(asked))
