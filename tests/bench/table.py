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
        yield _row(case.name, rates[case.name], case.goal)
        if case.name == "JWT, RS256" and "JWT, ES256" in rates:
            yield _row("JWT, as each signs unless told", _by_default(rates), case.goal)
    if storm is not None:
        yield ""
        yield (
            f"p99 of /token: {storm.quiet_ms:.1f} ms in quiet, {storm.stormy_ms:.1f} ms while "
            f"{storm.sign_ins} residents signed in ({storm.ratio:.2f} times, goal at most 2)."
        )


def _row(title: str, measured: Rates, goal: float | None) -> str:
    cells = [f"{rate:.0f} ({rate / measured[PEER]:.2f})" for rate in measured.values()]
    verdict = "" if goal is None else _verdict(measured, goal)
    return f"| {title} | {' | '.join(cells)} | {goal or ''} | {verdict} |"


def _by_default(rates: Mapping[str, Rates]) -> Rates:
    """Return what no setting changes: ours signs by ES256 then, oidc-provider by RS256."""
    ours, peers = rates["JWT, ES256"], rates["JWT, RS256"]
    return {name: (ours if name.startswith("ours") else peers)[name] for name in ours}


def _verdict(measured: Rates, goal: float) -> str:
    return "met" if measured[OURS] >= goal * measured[PEER] else "missed"
