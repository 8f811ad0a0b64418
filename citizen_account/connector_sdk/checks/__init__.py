"""The checks of the acceptance suite, in the order of the contract."""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

from citizen_account.connector_sdk.acceptance import AcceptanceTarget
from citizen_account.connector_sdk.checks import answers, faults, paper, rights, secrecy

Check = Callable[[AcceptanceTarget], Awaitable[None]]

BRONZE: Mapping[str, Check] = MappingProxyType(
    {
        "1-manifest-holds": paper.manifest_holds,
        "2-texts-in-every-language": paper.texts_in_every_language,
        "3-declared-is-implemented": paper.declared_is_implemented,
        "4-settings-are-described": paper.settings_are_described,
        "5-health-finds-what-is-misconfigured": faults.health_finds_what_is_misconfigured,
        "6-stranger-gets-nothing": answers.stranger_gets_nothing,
        "7-residents-stay-apart": answers.residents_stay_apart,
        "7-lying-source-is-not-believed": answers.lying_source_is_not_believed,
        "8-deadline-is-kept": faults.deadline_is_kept,
        "9-limits-are-told": faults.limits_are_told,
        "13-broken-answers-are-errors": faults.broken_answers_are_errors,
        "13-unknown-members-pass": faults.unknown_members_pass,
        "13-changed-members-do-no-harm": faults.changed_members_do_no_harm,
        "17-export-covers-what-is-shown": rights.export_covers_what_is_shown,
        "18-erasing-keeps-its-word": rights.erasing_keeps_its_word,
        "19-nothing-leaks": secrecy.nothing_leaks,
        "22-health-tells-down-from-misconfigured": faults.health_tells_down_from_misconfigured,
        "23-public-calls-carry-nobody": secrecy.public_calls_carry_nobody,
    }
)
"""By number in the contract and what they say. All of them make the tier bronze."""
