"""Load the components of govuk-frontend as plain callables for our templates."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from types import MappingProxyType

from jinja2 import Environment, PackageLoader, PrefixLoader
from markupsafe import Markup

Component = Callable[..., Markup]
PACKAGE = "govuk_frontend_jinja"
MACRO_FILE = re.compile(rf"{PACKAGE}/components/([\w-]+)/macro\.html")
# GOV.UK's own identity, which is nobody else's to show.
UNUSED = frozenset({"header", "footer", "exit-this-page"})


@cache
def load_components() -> Mapping[str, Component]:
    """Return each component by its macro's name, for instance `govukButton`.

    They live in an environment of their own: they read absent parameters, which ours forbids.
    Compiling them takes a third of a second, so a process does it once.
    """
    return MappingProxyType(dict(_components()))


def _components() -> Iterator[tuple[str, Component]]:
    environment = Environment(
        loader=PrefixLoader({PACKAGE: PackageLoader(PACKAGE)}),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        # A package's files do not change under us: nobody looks at their times for each page.
        auto_reload=False,
    )
    for file in environment.list_templates():
        found = MACRO_FILE.fullmatch(file)
        if found is None or found[1] in UNUSED:
            continue
        name = "govuk" + "".join(word.capitalize() for word in found[1].split("-"))
        component = getattr(environment.get_template(file).module, name, None)
        if component is not None:
            yield name, component
