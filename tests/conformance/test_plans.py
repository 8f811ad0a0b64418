"""The tables of the plans are whole, and name tests that there are."""

import ast
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import pytest

from tests.conformance import plans, plans_fapi, plans_left_out
from tests.conformance.browser_script import DOCUMENT
from tests.conformance.plans import Module, Result

TESTS = Path(__file__).parent.parent
# How many modules each plan has, with the variants of docs/conformance.md.
PLANS: Mapping[str, tuple[Mapping[str, Module], int]] = {
    "oidcc-basic": (plans.OIDCC_BASIC, 38),
    "oidcc-formpost-basic": (plans.OIDCC_FORM_POST, 38),
    "oidcc-config": (plans.OIDCC_CONFIG, 1),
    "oidcc-rp-initiated-logout": (plans.RP_INITIATED_LOGOUT, 11),
    "oidcc-backchannel-rp-initiated-logout": (plans.BACKCHANNEL_LOGOUT, 2),
    "oidcc-frontchannel-rp-initiated-logout": (plans.FRONTCHANNEL_LOGOUT, 2),
    "oidcc-3rdparty-init-login": (plans.THIRD_PARTY_LOGIN, 2),
    "fapi2-security-profile-final": (plans_fapi.SECURITY_PROFILE, 52),
    "fapi2-security-profile-final, earlier": (plans_fapi.EARLIER, 5),
    "fapi2-security-profile-final, client credentials": (plans_fapi.CLIENT_CREDENTIALS, 15),
    "fapi2-message-signing-final": (
        {**plans_fapi.SECURITY_PROFILE, **plans_fapi.MESSAGE_SIGNING},
        66,
    ),
    "oidcc-dynamic": (plans_left_out.DYNAMIC_PLAN, 23),
    "oidcc-session-management": (plans_left_out.SESSION_MANAGEMENT, 2),
}
LEFT_OUT = {**plans_left_out.DYNAMIC_PLAN, **plans_left_out.SESSION_MANAGEMENT}
ROW = re.compile(r"^\| `(oidcc-[^`]+)` \| (\w+) \| ?(.*?) ?\|$", re.MULTILINE)


@lru_cache
def names_in(file: str) -> frozenset[str]:
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in tree.body if isinstance(node, kinds))


def is_there(reference: str) -> bool:
    file, _, name = reference.partition("::")
    return (TESTS / file).is_file() and name in names_in(file)


@pytest.mark.parametrize("plan", PLANS)
def test_every_module_of_the_plan_is_in_its_table(plan: str) -> None:
    modules, count = PLANS[plan]
    assert len(modules) == count


@pytest.mark.parametrize("plan", PLANS)
def test_every_module_is_shown_by_a_test_that_there_is(plan: str) -> None:
    modules, _ = PLANS[plan]
    missing = {
        name: [each for each in module.tests if not is_there(each)]
        for name, module in modules.items()
    }
    assert not {name: gone for name, gone in missing.items() if gone}
    assert all(module.tests for module in modules.values())


def test_reference_to_nothing_is_noticed() -> None:
    assert is_there("conformance/test_plans.py::test_reference_to_nothing_is_noticed")
    assert not is_there("conformance/test_plans.py::test_that_nobody_wrote")
    assert not is_there("conformance/test_nowhere.py::test_x")


@pytest.mark.parametrize("plan", PLANS)
def test_what_is_no_plain_pass_says_why(plan: str) -> None:
    modules, _ = PLANS[plan]
    assert all((module.result is Result.PASS) != bool(module.why) for module in modules.values())


def test_only_plans_that_are_left_out_have_modules_that_fail() -> None:
    failing = {
        name
        for name, (modules, _) in PLANS.items()
        if any(module.result is Result.FAIL for module in modules.values())
    }
    assert failing == {"oidcc-dynamic", "oidcc-session-management"}


def test_document_lists_every_module_that_is_left_out() -> None:
    rows = ROW.findall(DOCUMENT.read_text(encoding="utf-8"))
    told = [(name, module.result.value, module.why) for name, module in LEFT_OUT.items()]
    assert rows == told
