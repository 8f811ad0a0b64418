"""Pages carry their policy, escape what they show, and forms carry their token."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import pytest

from citizen_account.i18n import m
from citizen_account.web.pages import FieldError, FrameUser, Pages
from tests.examples import frame, our_translations, pages_with

HOSTILE = '"><script>alert(1)</script>'
BODY = """{% extends "layout.html" %}{% from "macros.html" import error_summary, text_field %}
{% block title %}{{ page.value }}{% endblock %}
{% block content %}{{ error_summary(page.errors) }}{{ open_form(url('profile')) }}
{{ text_field('given-name', page.value, value=page.value, errors=page.errors, hint=page.value) }}
{{ close_form() }}{{ url('services', 'a b', page=2, after=none) }}{% endblock %}"""


@dataclass(frozen=True, slots=True)
class Small:
    template: ClassVar = "small.html"
    value: str
    errors: tuple[FieldError, ...] = ()


@pytest.fixture
def pages(tmp_path: Path) -> Pages:
    (tmp_path / "small.html").write_text(BODY)
    return pages_with(our_translations(), tmp_path)


def html(pages: Pages, page: Small) -> str:
    return bytes(pages.render(frame("sk"), page).body).decode()


def test_what_a_resident_typed_is_escaped(pages: Pages) -> None:
    errors = (FieldError("given-name", m("%(what)s is wrong", what=HOSTILE)),)
    shown = html(pages, Small(HOSTILE, errors))
    assert "<script>alert" not in shown
    assert "&lt;script&gt;alert" in shown
    assert "&amp;lt;" not in shown


def test_form_carries_the_token_of_its_action(pages: Pages) -> None:
    shown = html(pages, Small("Jana"))
    assert '<form method="post" action="/sk/profile" novalidate>' in shown
    assert '<input type="hidden" name="form_token" value="token of /sk/profile">' in shown


def test_addresses_are_in_the_language_and_quoted(pages: Pages) -> None:
    assert re.search(r"/sk/services/a%20b\?page=2\s", html(pages, Small("Jana")))


def test_error_is_told_first_in_the_title_and_at_the_field(pages: Pages) -> None:
    errors = (FieldError("given-name", m("Enter your name")),)
    shown = html(pages, Small("Jana", errors))
    assert "<title>Chyba: Jana" in shown
    assert '<a href="#given-name">Enter your name</a>' in shown
    assert 'aria-describedby="given-name-hint given-name-error"' in shown


def test_policy_allows_our_own_and_no_frames(pages: Pages) -> None:
    policy = pages.render(frame("sk"), Small("Jana")).headers["content-security-policy"]
    for rule in ("default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"):
        assert rule in policy
    assert "form-action 'self'" in policy
    assert "unsafe" not in policy


def test_forms_of_a_pending_authorization_may_lead_to_the_service(pages: Pages) -> None:
    pending = replace(frame("sk"), has_pending_authorization=True)
    response = pages.render(pending, Small("Jana"))
    assert "form-action" not in response.headers["content-security-policy"]


def test_pages_are_not_kept_by_caches(pages: Pages) -> None:
    assert pages.render(frame("sk"), Small("Jana")).headers["cache-control"] == "no-store"


def test_focused_page_has_no_navigation(pages: Pages) -> None:
    focused = replace(frame("sk"), is_focused=True)
    assert 'class="city-nav"' in html(pages, Small("Jana"))
    assert 'class="city-nav"' not in bytes(pages.render(focused, Small("Jana")).body).decode()


def test_city_replaces_a_template(tmp_path: Path) -> None:
    (tmp_path / "layout.html").write_text("<title>Our own</title>{% block content %}{% endblock %}")
    (tmp_path / "small.html").write_text(BODY)
    assert "Our own" in html(pages_with(our_translations(), tmp_path), Small("Jana"))


@pytest.mark.parametrize(
    ("name", "initials"),
    [("Jana Kováčová", "JK"), ("Jana Mária Kováčová", "JK"), ("Jana", "J"), ("", "")],
)
def test_initials(name: str, initials: str) -> None:
    assert FrameUser(name).initials == initials


def test_page_for_every_stranger_differs_by_language_and_address_alone(tmp_path: Path) -> None:
    (tmp_path / "plain.html").write_text(
        '{% extends "layout.html" %}{% block title %}{{ page.value }}{% endblock %}'
    )

    @dataclass(frozen=True, slots=True)
    class Plain:
        template: ClassVar = "plain.html"
        value: str

    pages = pages_with(our_translations(), tmp_path)
    for language in ("sk", "en", "sk"):
        for path in ("/sign-in?i=1", f"/{HOSTILE}?a=1&b=2"):
            asked = replace(frame(language), path=path, user=None)
            alike = pages.render_alike(asked, Plain("Busy"), 503, name="busy")
            assert alike.status_code == 503
            assert bytes(alike.body) == bytes(pages.render(asked, Plain("Busy"), 503).body)


def test_page_for_every_stranger_holds_no_form(pages: Pages) -> None:
    with pytest.raises(ValueError, match="no form"):
        pages.render_alike(frame("sk"), Small("Jana"), 503, name="busy")
