"""Turn a ZGW case into the account's case, and into the lines of an export."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from citizen_account.connector_sdk.models import (
    Case,
    CaseStatus,
    ExportNode,
    Phase,
    Step,
    StepState,
    Text,
)
from connectors.permits.client import Dossier, Status, StatusType
from connectors.permits.texts import (
    APPLICATION,
    LABELS,
    RECEIVED,
    joined,
    translated,
    wanted,
)


@dataclass(frozen=True, slots=True)
class Wanted:
    text: str
    by: date | None


@dataclass(frozen=True, slots=True)
class Mapper:
    """How this city's case system speaks."""

    language: str
    wanted_property: str
    wanted_by_property: str

    def case(self, dossier: Dossier) -> Case:
        zaak = dossier.zaak
        asked = self._wanted(dossier)
        phase = _phase(dossier, asked)
        is_open = phase not in (Phase.DECIDED, Phase.CLOSED)
        due = zaak.due if is_open else None
        return Case(
            subject=dossier.owner,
            ref=str(zaak.uuid),
            type=dossier.kind.code.lower(),
            title=joined(self._say(dossier.kind.title) or APPLICATION, zaak.title),
            reference=zaak.number,
            status=self._status(dossier),
            phase=phase,
            opened=zaak.opened,
            steps=self._steps(dossier, is_open=is_open),
            expected_by=(zaak.planned or due) if is_open else None,
            deadline=asked.by if asked else due,
            next_action=wanted(asked.text, self.language) if asked else "",
            outcome=self._outcome(dossier),
        )

    def _say(self, word: str) -> Text:
        return translated(word, self.language) if word else ""

    def _wanted(self, dossier: Dossier) -> Wanted | None:
        said = {one.name: one.value for one in dossier.properties}
        text = said.get(self.wanted_property, "").strip()
        if not text or dossier.zaak.ended:
            return None
        return Wanted(text, _day(said.get(self.wanted_by_property, "")))

    def _status(self, dossier: Dossier) -> CaseStatus:
        latest = _latest(dossier)
        if latest is None:
            return CaseStatus("received", RECEIVED)
        step = _step_of(dossier, latest)
        if step is None:
            return CaseStatus("unknown", latest.note or RECEIVED, latest.at)
        code = step.generic or str(step.number)
        return CaseStatus(code, self._say(step.title) or RECEIVED, latest.at)

    def _steps(self, dossier: Dossier, *, is_open: bool) -> tuple[Step, ...]:
        current = _number_of_current(dossier)
        set_at = {status.status_type: status.at for status in dossier.statuses}
        return tuple(
            Step(
                self._say(step.title) or str(step.number),
                _state(step.number, current, is_open=is_open),
                set_at.get(step.url),
            )
            for step in dossier.steps
        )

    def _outcome(self, dossier: Dossier) -> Text:
        if dossier.result_type is None:
            return ""
        return self._say(dossier.result_type.title or dossier.result_type.generic)

    def export(self, dossier: Dossier) -> ExportNode:
        zaak = dossier.zaak
        facts: Mapping[str, str] = {
            "number": zaak.number,
            "kind": dossier.kind.title,
            "title": zaak.title,
            "opened": zaak.opened.isoformat(),
            "due": zaak.due.isoformat() if zaak.due else "",
            "ended": zaak.ended.isoformat() if zaak.ended else "",
            "reference": dossier.owner,
            "result": dossier.result_type.title if dossier.result_type else "",
        }
        lines = [_node(key, value) for key, value in facts.items() if value]
        steps = _group("steps", [self._set_step(dossier, one) for one in dossier.statuses])
        notes = [ExportNode(key=one.name, value=one.value) for one in dossier.properties]
        return ExportNode(key=zaak.number, children=(*lines, *steps, *_group("properties", notes)))

    def _set_step(self, dossier: Dossier, status: Status) -> ExportNode:
        step = _step_of(dossier, status)
        label = self._say(step.title) if step else ""
        said = f"{status.at.isoformat()} {status.note}".strip()
        return ExportNode(key=step.generic if step else "step", label=label, value=said)


def _phase(dossier: Dossier, asked: Wanted | None) -> Phase:
    latest = _latest(dossier)
    step = _step_of(dossier, latest) if latest else None
    if dossier.zaak.ended or (step and step.is_last):
        return Phase.DECIDED if dossier.result else Phase.CLOSED
    if asked:
        return Phase.ACTION_NEEDED
    is_first = step is None or (bool(dossier.steps) and step.url == dossier.steps[0].url)
    return Phase.RECEIVED if is_first else Phase.IN_PROGRESS


def _latest(dossier: Dossier) -> Status | None:
    return dossier.statuses[-1] if dossier.statuses else None


def _step_of(dossier: Dossier, status: Status) -> StatusType | None:
    return next((step for step in dossier.steps if step.url == status.status_type), None)


def _number_of_current(dossier: Dossier) -> int:
    latest = _latest(dossier)
    step = _step_of(dossier, latest) if latest else None
    return step.number if step else 0


def _state(number: int, current: int, *, is_open: bool) -> StepState:
    if number < current or (number == current and not is_open):
        return StepState.DONE
    return StepState.CURRENT if number == current else StepState.UPCOMING


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip()[:10])
    except ValueError:
        return None


def _node(key: str, value: str) -> ExportNode:
    return ExportNode(key=key, label=LABELS[key], value=value)


def _group(key: str, nodes: Sequence[ExportNode]) -> tuple[ExportNode, ...]:
    return (ExportNode(key=key, label=LABELS[key], children=tuple(nodes)),) if nodes else ()
