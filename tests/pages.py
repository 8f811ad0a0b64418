"""Visit our pages as a person does without JavaScript: read, fill in, press, follow.

The selectors are the few that tests need: `tag`, `#id`, `.class`, `[name]`, `[name="value"]`,
and these joined (`input[name="optional"]`).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin, urlsplit

import httpx2

VOID = frozenset({"br", "hr", "img", "input", "link", "meta", "source", "track", "use", "wbr"})
UNREAD = frozenset({"head", "script", "style", "template", "title"})
BUTTONS = frozenset({"submit", "image", "button", "reset"})
MOST_REDIRECTS = 15
_PART = re.compile(
    r'(?P<tag>^[a-z][a-z0-9]*)|#(?P<id>[\w-]+)|\.(?P<css>[\w-]+)|\[(?P<key>[\w-]+)(?:="(?P<value>[^"]*)")?\]'
)


@dataclass(eq=False)
class Element:
    tag: str
    attributes: dict[str, str]
    parent: "Element | None" = None
    children: list["Element | str"] = field(default_factory=list)

    def walk(self) -> Iterator["Element"]:
        """Yield this element and all below it, in the page's order."""
        yield self
        for child in self.children:
            if isinstance(child, Element):
                yield from child.walk()

    def text(self) -> str:
        """Return the words a reader sees, with runs of blanks made one."""
        return " ".join("".join(_words(self)).split())

    def find(self, selector: str) -> list["Element"]:
        return [element for element in self.walk() if element.is_like(selector)]

    def is_like(self, selector: str) -> bool:
        parts = list(_PART.finditer(selector))
        if "".join(part.group() for part in parts) != selector or not selector:
            raise ValueError(f"a selector that this browser does not know: {selector}")
        return all(self._has(part) for part in parts)

    def _has(self, part: re.Match[str]) -> bool:
        if part["tag"]:
            return self.tag == part["tag"]
        if part["id"]:
            return self.attributes.get("id") == part["id"]
        if part["css"]:
            return part["css"] in self.attributes.get("class", "").split()
        found = self.attributes.get(part["key"])
        return found is not None and part["value"] in {None, found}

    def within(self, tag: str) -> "Element | None":
        above = self.parent
        while above is not None and above.tag != tag:
            above = above.parent
        return above


def _words(element: Element) -> Iterator[str]:
    for child in element.children:
        if isinstance(child, str):
            yield child
        elif child.tag not in UNREAD and "hidden" not in child.attributes:
            yield " "
            yield from _words(child)
            yield " "


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = self._open = Element("#document", {})

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs}, self._open)
        self._open.children.append(element)
        if tag not in VOID:
            self._open = element

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        element: Element | None = self._open
        while element is not None and element.tag != tag:
            element = element.parent
        if element is not None and element.parent is not None:
            self._open = element.parent

    def handle_data(self, data: str) -> None:
        self._open.children.append(data)


def read_page(html: str) -> Element:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.root


class Visitor:
    """One browser: keeps its cookies, follows redirects within the site, leaves at its edge."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self.http = http
        self.page = read_page("")
        self.answer: httpx2.Response | None = None
        self.left_for: str | None = None
        self._filled: dict[Element, list[str]] = {}

    async def open(self, address: str) -> "Visitor":
        """Go to an address, as if it were typed into the address bar."""
        await self._load(self.http.build_request("GET", self._join(address), headers=_navigation()))
        return self

    async def press(self, selector: str) -> "Visitor":
        """Press a button (its form is sent) or follow a link."""
        element = self.find(selector)
        if element.tag == "a":
            return await self.open(element.attributes["href"])
        await self._submit(self._form_of(element), element)
        return self

    def fill(self, values: Mapping[str, str]) -> "Visitor":
        """Write into fields, each named by a selector or by its name."""
        for where, value in values.items():
            self._filled[self.field(where)] = [value]
        return self

    def tick(self, selector: str, *, is_ticked: bool = True) -> "Visitor":
        box = self.find(selector)
        if box.attributes.get("type") == "radio":
            self._untick_group(box)
        self._filled[box] = [box.attributes.get("value", "on")] if is_ticked else []
        return self

    def find(self, selector: str) -> Element:
        found = self.page.find(selector)
        if len(found) != 1:
            raise LookupError(f"{len(found)} of {selector} on {self.url}: {self.text()[:2000]}")
        return found[0]

    def field(self, where: str) -> Element:
        selector = where if where[0] in "#.[" or "[" in where else f'[name="{where}"]'
        return self.find(selector)

    def has(self, selector: str) -> bool:
        return bool(self.page.find(selector))

    def text(self, selector: str | None = None) -> str:
        return (self.page if selector is None else self.find(selector)).text()

    def value(self, where: str) -> str:
        """Return what the page put into a field."""
        element = self.field(where)
        if element.tag == "textarea":
            return "".join(child for child in element.children if isinstance(child, str))
        return element.attributes.get("value", "")

    def errors(self) -> list[str]:
        """Return the messages beside the fields; the summary repeats them."""
        return [element.text() for element in self.page.find(".govuk-error-message")]

    def links(self) -> list[str]:
        """Return where the page's links of this site lead, in its order, without fragments."""
        joined = [self._join(link.attributes.get("href", "")) for link in self.page.find("a")]
        ours = [link.partition("#")[0] for link in joined if self._is_ours(link)]
        return list(dict.fromkeys(ours))

    @property
    def title(self) -> str:
        [title] = self.page.find("title")
        return " ".join(
            "".join(child for child in title.children if isinstance(child, str)).split()
        )

    @property
    def last(self) -> httpx2.Response:
        if self.answer is None:
            raise LookupError("nothing was opened yet")
        return self.answer

    @property
    def status(self) -> int:
        return self.last.status_code

    @property
    def url(self) -> str:
        return str(self.http.base_url if self.answer is None else self.answer.url)

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    def _join(self, address: str) -> str:
        return urljoin(self.url, address)

    def _is_ours(self, address: str) -> bool:
        ours, theirs = urlsplit(str(self.http.base_url)), urlsplit(address)
        return (ours.scheme, ours.netloc) == (theirs.scheme, theirs.netloc)

    def _form_of(self, element: Element) -> Element:
        name = element.attributes.get("form")
        form = self.find(f"#{name}") if name else element.within("form")
        if form is None:
            raise LookupError(f"no form around {element.attributes}")
        return form

    def _untick_group(self, chosen: Element) -> None:
        name, form = chosen.attributes.get("name"), self._form_of(chosen)
        for other in self.page.find('input[type="radio"]'):
            if other.attributes.get("name") == name and self._form_of(other) is form:
                self._filled[other] = []

    async def _submit(self, form: Element, button: Element) -> None:
        fields = list(self._fields(form, button))
        action = button.attributes.get("formaction") or form.attributes.get("action") or self.url
        address = self._join(action)
        if form.attributes.get("method", "get").lower() == "get":
            address = f"{address.partition('?')[0]}?{urlencode(fields)}"
            request = self.http.build_request("GET", address, headers=_navigation())
        else:
            headers = _navigation() | {
                "Content-Type": "application/x-www-form-urlencoded",
                "Origin": str(self.http.base_url).rstrip("/"),
                "Sec-Fetch-Site": "same-origin",
            }
            body = urlencode(fields).encode()
            request = self.http.build_request("POST", address, content=body, headers=headers)
        await self._load(request)

    def _fields(self, form: Element, button: Element) -> Iterator[tuple[str, str]]:
        """Yield the successful controls (HTML section 4.10.21.4), in the page's order."""
        for element in self.page.walk():
            name = element.attributes.get("name")
            if element.tag not in {"input", "select", "textarea", "button"} or not name:
                continue
            owner = element.attributes.get("form")
            belongs = (
                form.attributes.get("id") == owner if owner else element.within("form") is form
            )
            if belongs and "disabled" not in element.attributes:
                yield from ((name, value) for value in self._values(element, button))

    def _values(self, element: Element, button: Element) -> list[str]:
        kind = element.attributes.get("type", "submit" if element.tag == "button" else "text")
        if kind in BUTTONS:
            return [element.attributes.get("value", "")] if element is button else []
        if element in self._filled:
            return self._filled[element]
        if element.tag == "select":
            return _chosen(element)
        if kind in {"checkbox", "radio"} and "checked" not in element.attributes:
            return []
        default = "on" if kind in {"checkbox", "radio"} else ""
        if element.tag == "textarea":
            return ["".join(child for child in element.children if isinstance(child, str))]
        return [element.attributes.get("value", default)]

    async def _load(self, request: httpx2.Request) -> None:
        self.left_for = None
        self._filled = {}
        for _ in range(MOST_REDIRECTS):
            answer = await self.http.send(request, follow_redirects=False)
            self.answer = answer
            if not answer.is_redirect:
                self.page = read_page(answer.text if _is_html(answer) else "")
                return
            target = urljoin(str(answer.url), answer.headers["location"])
            if not self._is_ours(target):
                self.left_for = target
                return
            request = self.http.build_request("GET", target, headers=_navigation())
        raise LookupError(f"redirected for ever, at last to {self.url}")


def _navigation() -> dict[str, str]:
    return {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}


def _is_html(answer: httpx2.Response) -> bool:
    return str(answer.headers.get("content-type", "")).startswith("text/html")


def _chosen(select: Element) -> list[str]:
    options = select.find("option")
    chosen = [option for option in options if "selected" in option.attributes]
    if not chosen and "multiple" not in select.attributes:
        chosen = options[:1]
    return [option.attributes.get("value", option.text()) for option in chosen]
