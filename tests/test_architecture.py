"""The rules that keep the parts apart."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LAYERS = ("search_app", "index", "ingest")  # each may import those after it
MODULES = sorted(path for layer in LAYERS for path in (ROOT / layer).rglob("*.py"))
SERVED = sorted((ROOT / "search_app" / "templates").rglob("*.html")) + sorted((ROOT / "search_app" / "static").rglob("*"))
COMMANDS = {name for path in MODULES if (name := str(path.relative_to(ROOT))).startswith("search_app/cli")}
HOMES = {
    "PIL": {"ingest/drawing.py"},
    "anyascii": {"index/names.py", "index/terms.py"},
    "argon2": {"index/accounts.py"},
    "charset_normalizer": {"ingest/encodings.py", "ingest/html.py"},
    "click": {"search_app/options.py", "search_app/terminal.py", *COMMANDS},
    "dask": {"search_app/cluster/client.py", "search_app/cluster/worker.py"},
    "distributed": {f"search_app/cluster/{name}.py" for name in ("address", "client", "task", "worker")},
    "docx": {"ingest/word.py"},
    "faiss": {"index/inverted.py", "index/vectors.py"},
    "flask_login": {"search_app/desk/signing.py"},
    "flask_wtf": {"search_app/desk/desk.py", "search_app/factory.py"},
    "gunicorn": {"search_app/processes.py"},
    "ir_measures": {"index/evaluation.py"},
    "itsdangerous": {"search_app/desk/browsers.py"},
    "langdetect": {"ingest/third_reader.py"},
    "lxml": {"ingest/dublin_core.py", "ingest/word.py", "ingest/html.py", "search_app/oai.py", "search_app/harvesting.py"},
    "nncf": {"index/preparation.py"},
    "openvino": {"index/network.py", "index/preparation.py"},
    "pebble": {"ingest/pipeline.py", "ingest/drawing.py"},
    "prometheus_client": {"search_app/metrics.py"},
    "psycopg": {"index/engine_connection.py", "index/engine_errors.py", "index/engine_server.py"},
    "py3langid": {"ingest/language.py"},
    "pybtex": {"ingest/exchange.py"},
    "pycld2": {"ingest/language.py"},
    "pydantic": {"ingest/catalogue.py", "search_app/openapi.py", "search_app/parameters.py", "search_app/schema.py"},
    "pypdf": {"ingest/pdf.py", "ingest/trust.py"},
    "pypdfium2": {"ingest/pdfium.py"},
    "rapidfuzz": {"ingest/trust.py", "ingest/quotation.py"},
    "rich": {"search_app/terminal.py"},
    "rispy": {"ingest/exchange.py", "search_app/references.py"},
    "sentence_transformers": {"index/pytorch_encoder.py"},
    "sentencex": {"ingest/sentences.py"},
    "sqlite3": {"index/embedded.py"},
    "stdnum": {"ingest/identifiers.py"},
    "subprocess": {"ingest/ocr.py", "search_app/supervision.py"},
    "threadpoolctl": {"index/meanwhile.py"},
    "tokenizers": {"index/bundled.py", "index/prepared_encoder.py"},
    "tomli_w": {"search_app/exporting.py"},
    "torch": {"index/bundled.py", "index/preparation.py"},
    "transformers": {"index/bundled.py", "index/pytorch_encoder.py"},
    "waitress": {"search_app/serving.py"},
    "webencodings": {"ingest/html.py"},
}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, also within functions: "a.b" for both `import a.b` and `from a.b import c`."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide which package is meant"
            yield from (f"{node.module}.{alias.name}" for alias in node.names) if node.module in LAYERS else (str(node.module),)


def calls(path: Path) -> set[str]:
    return {ast.unparse(node.func) for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)}


def test_the_rules_look_at_every_package():
    assert {name_of(path).split("/")[0] for path in MODULES} == set(LAYERS) and {path.suffix for path in SERVED} == {".html", ".css", ".js", ".svg"}


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_run_from_search_app_over_index_to_ingest_and_never_back(path):
    layer = name_of(path).split("/")[0]
    forbidden = LAYERS[: LAYERS.index(layer)]
    assert [module for module in imports(path) if module.split(".")[0] in forbidden] == []


@pytest.mark.parametrize("path", [path for path in MODULES if name_of(path).startswith("index/")], ids=name_of)
def test_the_index_takes_only_the_records_from_ingest(path):
    assert {module for module in imports(path) if module.split(".")[0] == "ingest"} <= {"ingest.records"}


def test_the_records_import_nothing_of_ours():
    assert [module for module in imports(ROOT / "ingest" / "records.py") if module.split(".")[0] in LAYERS] == []


@pytest.mark.parametrize(("library", "homes"), HOMES.items(), ids=HOMES)
def test_each_heavy_library_is_imported_in_its_home_only(library, homes):
    assert {name_of(path) for path in MODULES if library in {module.split(".")[0] for module in imports(path)}} == homes


def test_only_the_web_application_imports_flask():
    users = {
        name_of(path).split("/")[0] for path in MODULES if {"flask", "flask_babel", "werkzeug"} & {module.split(".")[0] for module in imports(path)}
    }
    assert users == {"search_app"}


def test_only_the_command_line_prints():
    printing = re.compile(r"print|click\.s?echo|sys\.std(out|err)\.write|\w*[cC]onsole\w*(\.print)?")
    assert {name_of(path) for path in MODULES if any(printing.fullmatch(call) for call in calls(path))} == {
        "search_app/options.py",
        "search_app/terminal.py",
        *COMMANDS,
    }


def test_only_the_command_line_configures_logging_and_ends_the_program():
    ending = {"logging.basicConfig", "sys.exit", "os._exit", "exit", "quit"}
    assert {name_of(path) for path in MODULES if ending & calls(path)} <= {"search_app/options.py", "search_app/wsgi.py", *COMMANDS}


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_every_module_says_what_it_does(path):
    assert ast.get_docstring(ast.parse(path.read_text("utf-8")))


@pytest.mark.parametrize("path", SERVED, ids=name_of)
def test_pages_load_nothing_from_another_host_and_run_no_script_but_their_own_file(path):
    text = path.read_text("utf-8").replace('xmlns="http://www.w3.org/2000/svg"', "")  # a name, which nothing loads
    from_elsewhere = re.findall(r"""(?i)(?:src|href|action)\s*=\s*["']?\s*(?:[a-z]+:|//)\S*|url\([^)]*\)|@import.*|https?://\S+""", text)
    script = re.findall(
        r"""(?i)<script(?! type="application/ld\+json">| src="\{\{ url_for\('static', filename='[a-z]+\.js'\) \}\}" defer></script>)|javascript:|<(?:iframe|object|embed|base|meta http-equiv)|\son[a-z]+\s*=|\sstyle\s*=""",
        text,
    )
    assert (from_elsewhere, script) == ([], [])
