"""Draw what was measured as a table of Markdown."""

from collections.abc import Iterator, Mapping, Sequence

from tests.bench.cases import Case
from tests.bench.storm import Storm

Rates = Mapping[str, float]
"""Requests for each processor second, by the provider's name."""
PEER = "oidc-provider, PostgreSQL"
OURS = "ours, PostgreSQL"


def draw_table(cases: Sequence[Case], rates: Mapping[str, Rates], storm: Storm | None) -> str:
    return "\n".join(_lines(cases, rates, storm))


def _lines(cases: Sequence[Case], rates: Mapping[str, Rates], storm: Storm | None) -> Iterator[str]:
    names = list(next(iter(rates.values())))
    yield f"| requests for each processor second | {' | '.join(names)} | goal | |"
    yield f"|---|{'---:|' * len(names)}---:|---|"
    for case in cases:
        measured = rates[case.name]
        cells = [f"{measured[name]:.0f} ({measured[name] / measured[PEER]:.2f})" for name in names]
        goal = f"{case.goal or ''} | {_verdict(case, measured)}"
        yield f"| {case.name} | {' | '.join(cells)} | {goal} |"
    if storm is not None:
        yield ""
        yield (
            f"p99 of /token: {storm.quiet_ms:.1f} ms in quiet, {storm.stormy_ms:.1f} ms while "
            f"{storm.sign_ins} residents signed in ({storm.ratio:.2f} times, goal at most 2)."
        )


def _verdict(case: Case, measured: Rates) -> str:
    if case.goal is None:
        return ""
    return "met" if measured[OURS] >= case.goal * measured[PEER] else "missed"
