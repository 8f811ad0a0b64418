"""A connector that does not hold stays out with its reason; the others do not notice."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import EntryPoint
from pathlib import Path

import httpx2
import pytest

from citizen_account.connector_host.configuration import (
    ConfigurationError,
    ConnectorConfiguration,
    read_configurations,
)
from citizen_account.connector_host.registry import GROUP, Registry, load_registry
from citizen_account.connector_sdk import example
from citizen_account.connector_sdk.http import Transport

EXAMPLE = Path(example.__file__).parent
GOOD = {
    "base_url": "http://office.example/",
    "auth": {"kind": "api_key", "secret": "k"},
    "settings": {"office": "7"},
}


class Cupboard:
    """A folder of connectors that Python can import, each a changed copy of the example."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.points: list[EntryPoint] = []
        self.opened: list[Transport] = []

    def put(self, name: str, file: str = "", old: str = "", new: str = "") -> None:
        place = self.folder / name
        shutil.copytree(EXAMPLE, place, ignore=shutil.ignore_patterns("__pycache__"))
        manifest = place / "manifest.toml"
        text = manifest.read_text(encoding="utf-8").replace('id = "example"', f'id = "{name}"')
        manifest.write_text(text, encoding="utf-8")
        if file:
            text = (place / file).read_text(encoding="utf-8")
            assert old in text
            (place / file).write_text(text.replace(old, new), encoding="utf-8")
        self.points.append(EntryPoint(name, f"{name}.connector:build", GROUP))

    def load(self, **configurations: dict[str, object]) -> Registry:
        read = {
            name: ConnectorConfiguration.model_validate(entry)
            for name, entry in configurations.items()
        }
        return load_registry(read, self._open, lambda: datetime.now(UTC), self.points)

    def _open(self, connections: int) -> Transport:
        assert connections == 4
        self.opened.append(httpx2.MockTransport(lambda _: httpx2.Response(200)))
        return self.opened[-1]


@pytest.fixture
def cupboard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cupboard:
    monkeypatch.syspath_prepend(tmp_path)
    return Cupboard(tmp_path)


def good(**changes: object) -> dict[str, object]:
    return {**GOOD, **changes}


def test_configured_connector_is_in_use(cupboard: Cupboard) -> None:
    cupboard.put("reg_good")
    installed = cupboard.load(reg_good=good()).connectors["reg_good"]
    assert installed.connector is not None
    assert installed.problem == ""


SPECIAL = 'basis = "consent"\nspecial_category = true'
ASSURED = '[assurance]\nminimum = "high"\n[limits]'
BROKEN: list[tuple[str, str, str, str, str]] = [  # name, file, old, new, what is told
    ("reg_syntax", "connector.py", "class ExampleOffice:", "class (:", "SyntaxError"),
    ("reg_import", "connector.py", "SOURCE =", "import no_such_module\nSOURCE =", "ModuleNotFound"),
    ("reg_exit", "connector.py", "SOURCE =", "raise SystemExit(1)\nSOURCE =", "SystemExit"),
    ("reg_build", "connector.py", 'config["office"]', 'config["none"]', "KeyError"),
    ("reg_name", "connector.py", "def build(", "def other(", "AttributeError"),
    ("reg_none", "connector.py", "return Connector(", "return dict(", "no Connector"),
    ("reg_more", "manifest.toml", "cases = 1", "cases = 1\nplaces = 1", "differ: places"),
    ("reg_method", "manifest.toml", '"pairwise"', '"reference_and_secret"', "not implemented"),
    ("reg_later", "manifest.toml", '"pairwise"', '"oauth"', "not supported yet"),
    ("reg_health", "manifest.toml", 'basis = "consent"', SPECIAL, "special categories"),
    ("reg_level", "manifest.toml", "[limits]", ASSURED, "level of assurance"),
    ("reg_schema", "config.schema.json", '"object"', '"array"', "config.schema.json"),
]


@pytest.mark.parametrize("broken", BROKEN, ids=[name for name, *_ in BROKEN])
def test_broken_connector_stays_out_and_the_other_does_not_notice(
    cupboard: Cupboard, broken: tuple[str, str, str, str, str]
) -> None:
    name, file, old, new, told = broken
    cupboard.put(name, file, old, new)
    cupboard.put(f"{name}_good")
    registry = cupboard.load(**{name: good(), f"{name}_good": good()})
    installed = registry.connectors[name]
    assert installed.connector is None
    assert told in installed.problem
    assert registry.connectors[f"{name}_good"].connector is not None


REFUSED: list[tuple[str, str, str, str]] = [
    ("ref_key", "[limits]", "[limitz]", "limitz"),
    ("ref_id", 'id = "ref_id"', 'id = "other"', "folder is 'ref_id'"),
    ("ref_toml", "[limits]", "[limits", "cannot be read"),
]


@pytest.mark.parametrize(("name", "old", "new", "told"), REFUSED)
def test_bad_manifest_is_refused_with_its_reason(
    cupboard: Cupboard, name: str, old: str, new: str, told: str
) -> None:
    cupboard.put(name, "manifest.toml", old, new)
    cupboard.put(f"{name}_good")
    registry = cupboard.load(**{name: good(), f"{name}_good": good()})
    assert told in registry.refused[name]
    assert list(registry.connectors) == [f"{name}_good"]


def test_package_that_cannot_be_imported_is_refused(cupboard: Cupboard) -> None:
    cupboard.put("reg_package", "__init__.py", '"""A whole', 'raise SystemExit(1)\n"""A whole')
    cupboard.points.append(EntryPoint("reg_gone", "reg_gone.connector:build", GROUP))
    refused = cupboard.load().refused
    assert "SystemExit" in refused["reg_package"]
    assert "ModuleNotFoundError" in refused["reg_gone"]


CONFIGURATIONS: list[tuple[Callable[[], dict[str, object]], str]] = [
    (lambda: good(enabled=False), "switched off"),
    (lambda: good(settings={}), "office: missing"),
    (lambda: good(settings={"office": "seven"}), "office: does not fit"),
    (lambda: good(settings={"office": "7", "colour": "x"}), "colour: unknown"),
    (lambda: good(auth={"kind": "none"}), "kind none"),
    (lambda: good(auth={"kind": "api_key", "secret_file": "/nowhere"}), "secret_file"),
    (lambda: good(peers={"desk": {"base_url": "http://d"}}), "peers differ"),
]


@pytest.mark.parametrize(("entry", "told"), CONFIGURATIONS, ids=range(len(CONFIGURATIONS)))
def test_configuration_that_does_not_fit_is_a_problem_by_name(
    cupboard: Cupboard, entry: Callable[[], dict[str, object]], told: str
) -> None:
    cupboard.put("reg_config")
    installed = cupboard.load(reg_config=entry()).connectors["reg_config"]
    assert installed.connector is None
    assert told in installed.problem


def test_connector_without_configuration_and_the_reverse_are_told(cupboard: Cupboard) -> None:
    cupboard.put("reg_alone")
    registry = cupboard.load(ghost=good())
    assert registry.connectors["reg_alone"].problem == "not configured"
    assert registry.refused == {"ghost": "configured, but not installed"}


async def test_closing_closes_every_way_out(cupboard: Cupboard) -> None:
    closed: list[Transport] = []

    class Counting(httpx2.MockTransport):
        async def aclose(self) -> None:
            closed.append(self)

    cupboard.put("reg_close")
    transport = Counting(lambda _: httpx2.Response(200))
    configuration = {"reg_close": ConnectorConfiguration.model_validate(GOOD)}
    registry = load_registry(
        configuration, lambda _: transport, lambda: datetime.now(UTC), cupboard.points
    )
    await registry.close()
    assert closed == [transport]


# --- the operator's file ------------------------------------------------------------------------

SECRET_TWICE = """
[permits]
base_url = "http://x/"
auth = { kind = "api_key", secret = "canary", secret_file = "/x" }
"""
FILES: list[tuple[str, str]] = [
    ("[permits", "TOMLDecodeError"),
    ("permits = 1", "permits"),
    ('[permits]\nbase_url = "ftp://x"', "permits.base_url"),
    ('[permits]\nbase_url = "http://user:canary@x/"', "permits.base_url"),
    ('[permits]\nbase_url = "http://x/"\nbase_ulr = ""', "permits.base_ulr"),
    ('[permits]\nbase_url = "http://x/"\nauth = { kind = "magic" }', "permits.auth"),
    ('[permits]\nbase_url = "http://x/"\nauth = { kind = "api_key" }', "secret or secret_file"),
    (
        SECRET_TWICE,
        "secret or secret_file",
    ),
    ('[permits]\nbase_url = "http://x/"\nsettings = { a = 1 }', "permits.settings.a"),
]


@pytest.mark.parametrize(("text", "told"), FILES, ids=range(len(FILES)))
def test_file_that_does_not_hold_is_refused_by_key_and_without_values(
    tmp_path: Path, text: str, told: str
) -> None:
    file = tmp_path / "connectors.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=told) as caught:
        read_configurations(file)
    assert "canary" not in str(caught.value)


def test_missing_file_is_refused_and_none_is_fine(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        read_configurations(tmp_path / "nothing.toml")
    assert read_configurations(None) == {}


def test_secret_is_read_from_its_file_and_shown_nowhere(tmp_path: Path, cupboard: Cupboard) -> None:
    secret = tmp_path / "secret"
    secret.write_text("canary-7\n", encoding="utf-8")
    cupboard.put("reg_secret")
    entry = good(auth={"kind": "api_key", "secret_file": str(secret)})
    registry = cupboard.load(reg_secret=entry)
    assert registry.connectors["reg_secret"].problem == ""
    assert "canary-7" not in f"{registry!r} {ConnectorConfiguration.model_validate(entry)!r}"
