"""Whatever a title, a page or a question holds is shown as text: on every page, in every feed, table, citation and answer, and on the terminal."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from itertools import product
from urllib.parse import quote, urlencode

import bibtexparser
import pytest
import rispy
from click.testing import CliRunner
from conftest import LexiconEncoder, pdf_of
from filling import fill, publication
from lxml import etree, html

from index.changes import Changes
from index.contents import EditionState
from index.library import Library
from ingest.records import Page, Passage
from search_app import cli
from search_app.factory import create_app
from search_app.ingesting import Report
from search_app.spreadsheet import FORMULA
from search_app.terminal import print_report, reading

MARKER = "isogloss-injected"
END = "ZZZ"  # the end of every value; what stands behind it on a page is the interface's own
MARKUP = f"""<{MARKER} onload=alert(1)>"'`&amp;&#60;{MARKER}></script></style></textarea></title>--><!--]]>{{{{7*7}}}}{{% x %}}"""
CONTROLS = "\x01\x08\x1b[31m\x1b]0;x\x07\x7f\x80\x85\x9b31m\u2028\u2029\ufffe\uffff"
TEX = "\\input{x} } ] @book{y, title = {z}} $%#_^~ and"
RIS = "\r\nER  - \r\nTY  - RPRT\r\nTI  - other\r\n"
EVIL = f"{MARKUP}{CONTROLS}{TEX}{RIS}Set-Cookie: a=b\r\n%(name)s %d \u202e{END}"
NAME = f"x\"><{MARKER} onload='a'>&=+%0d%0a;\u202e{END}"  # a folder may be called so
ASKED = [
    {}, {"q": f"forest {EVIL}"}, {"q": "forest", "exact": "1", "quote": EVIL}, {"q": EVIL, "topic": EVIL, "kind": EVIL, "country": EVIL, "language": EVIL},
    {"back": f"/{EVIL}", "edition": EVIL, "publication": NAME, "by": EVIL, "missing": EVIL, "readers": EVIL, "offset": EVIL},
    {"verb": "ListRecords", "metadataPrefix": "oai_dc"}, {"verb": "ListIdentifiers", "metadataPrefix": "oai_dc"}, {"verb": EVIL}, {"verb": "ListSets"},
    {"verb": "GetRecord", "identifier": EVIL, "metadataPrefix": "oai_dc"}, {"page": "DIGEST/1", "quote": "forest", "change": "1"},
]  # fmt: skip
BLOCKS = {
    "p",
    "li",
    "div",
    "h1",
    "h2",
    "h3",
    "td",
    "th",
    "dd",
    "dt",
    "summary",
    "blockquote",
    "figcaption",
    "legend",
    "label",
    "button",
    "main",
    "body",
}
APART = {"title", "option", "script", "textarea"}  # no text around them that could be turned


@pytest.fixture(scope="module")
def shelf(tmp_path_factory) -> Library:
    home = tmp_path_factory.mktemp("shelf")
    library = Library.create(home / "library")
    (home / "one.pdf").write_bytes(pdf_of(["The forest grows."]))
    digest = hashlib.sha256((home / "one.pdf").read_bytes()).hexdigest()
    library.keep_file(home / "one.pdf", digest)
    said = {
        "titles": {"en": f"=1+1 {EVIL}", "ar": f"\t@غابة {EVIL}"}, "abstracts": {"en": f"forest {EVIL}", "th": EVIL}, "kind": f"+{EVIL}",
        "topics": (f"-{EVIL}", EVIL), "authors": (f"@SUM(A1), {EVIL}", f"\r={EVIL}"), "publisher": f"={EVIL}", "source": f"https://x.example/{MARKUP}",
        "doi": f'10.1000/"><{MARKER}>&}}', "countries": ("KH",),
    }  # fmt: skip
    work = publication(NAME, ["en", "ar"], **said)
    work = replace(work, editions=tuple(replace(one, label=f"\t={EVIL}", digest=digest if one.language == "en" else None) for one in work.editions))
    fill(library, LexiconEncoder(), work, {})
    other = publication("other", ["my"], titles={"my": f"သစ်တော {EVIL}"}, authors=(EVIL,), publisher=EVIL, kind=EVIL, topics=(EVIL,))
    (home / "two.pdf").write_bytes(pdf_of(["Forest."]))
    second = hashlib.sha256((home / "two.pdf").read_bytes()).hexdigest()
    library.keep_file(home / "two.pdf", second)
    other = replace(other, editions=(replace(other.editions[0], digest=second),))
    fill(library, LexiconEncoder(), other, {"my": [f"forest forest {EVIL}"]})
    edition = work.editions[0]
    texts = [f"=forest\x00 {EVIL}", f"@water {EVIL}", f"forest water {EVIL}"]
    pages = [Page(edition.edition_id, number, f"={EVIL}", text, "recognised", cause=EVIL) for number, text in enumerate(texts, start=1)]
    passages = [
        Passage(edition.edition_id, place, place + 1, 0, place + 1, len(text), "en", text, ((0, len(text)),), (EVIL, f"=x {EVIL}"))
        for place, text in enumerate(texts)
    ]
    state = EditionState(edition, "partly read", EVIL, 1, "folder")
    library.put_reading(state, pages, passages, LexiconEncoder().encode_passages(texts))
    with library.transaction() as run:
        run(
            "INSERT INTO uploads (upload_id, \"by\", name, size, likeness, created, state, digest) VALUES ('u', 'ana', ?, 3, '', '', 'examined', ?)",
            (f"={EVIL}.pdf", digest),
        )
    entry = library.entry("other")
    Changes(library).put(f"ana {EVIL}", "edited", entry, replace(entry, publisher=f"2 {EVIL}"))
    Changes(library).note(EVIL, EVIL, EVIL, NAME)
    return library


@pytest.fixture(scope="module")
def app(shelf):
    made = create_app(shelf, LexiconEncoder())
    yield made
    made.extensions["pictures"].close()


def places(library: Library) -> dict[str, str]:
    """What stands in the addresses, by the name of its part."""
    digest = library.digest(f"{NAME}.en")
    return {
        "publication_id": NAME, "edition_id": f"{NAME}.en", "digest": digest[:16], "number": "1", "page": "1", "width": "700", "form": "ris",
        "filename": "isogloss.css", "change_id": "1", "upload_id": "u", "job_id": "1", "generation": "1", "name": NAME,
    }  # fmt: skip


def addresses(app) -> Iterator[str]:
    """Every address that can be got, whatever part of the application has it, for data that are not well meant."""
    known = places(app.extensions["searcher"].library)
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()):
            continue
        for form in ("ris", "bib", "csl.json") if "form" in rule.arguments else ("",):
            parts = {name: known.get(name, "1") for name in rule.arguments} | ({"form": form} if form else {})
            path = re.sub(r"<(?:[^<>:]*:)?(\w+)>", lambda part, parts=parts: quote(parts[part[1]], safe=""), rule.rule)
            yield path
            if "publication_id" in rule.arguments:
                yield path.replace(quote(NAME, safe=""), "other")


def elements(page) -> list[str]:
    """What in a page comes from data though it is no text."""
    found = [str(one.tag) for one in page.iter() if isinstance(one.tag, str) and MARKER in one.tag]
    found += [
        f"{one.tag} {name}={value!r}"
        for one in page.iter()
        for name, value in one.attrib.items()
        if name.startswith("on") or name == "style" or MARKER in name
    ]
    return found + [
        f"{value!r}" for value in page.xpath("//@href | //@src | //@action | //@srcset") if re.match(r"\s*(?!https?:)[a-z]+:", value, re.I)
    ]


def turned(page) -> list[str]:
    """The text of the interface that stands where an override in data turns it: behind the data, in the same line. A bdi holds nothing but data."""
    runs: dict[object, str] = {}

    def gather(node, run):
        tag = str(node.tag)
        if tag in APART:
            return
        own = node if tag in BLOCKS or tag == "bdi" or "dir" in node.attrib else run
        runs[own] = runs.get(own, "") + (node.text or "")
        for child in node:
            if isinstance(child.tag, str):
                gather(child, own)
            runs[own] += child.tail or ""

    gather(page, page)
    return [
        rest
        for owner, text in runs.items()
        if owner.tag != "bdi"
        for rest in text.split(END)[1:]
        if "\u202e" in text and re.search(r"\w", rest.split("\u202e")[0])
    ]


def check_html(text: bytes) -> None:
    page = html.fromstring(text)
    assert elements(page) == []
    assert [rest[:60] for rest in turned(page)] == []
    assert all(script.get("src") or json.loads(script.text) for script in page.xpath("//script"))


def check_xml(text: bytes) -> None:
    page = etree.fromstring(text)
    assert elements(page) == []
    for content in page.iter("{http://www.w3.org/2005/Atom}content"):
        assert elements(html.fromstring(f"<div>{content.text}</div>")) == []


def check_csv(text: bytes) -> None:
    rows = list(csv.reader(StringIO(text.decode("utf-8-sig"), newline="")))
    assert len({len(row) for row in rows}) == 1 and not [cell for row in rows for cell in row if cell.startswith(FORMULA)]


def check_ris(text: bytes) -> None:
    (entry,) = rispy.loads(text.decode())
    assert set(entry) <= {
        "type_of_reference", "id", "title", "translated_title", "authors", "year", "publisher", "type_of_work", "language", "issn", "doi",
        "start_page", "notes", "abstract", "urls",
    }  # fmt: skip
    assert all(re.match(r"[A-Z][A-Z0-9]  - ", line) for line in text.decode().split("\r\n") if line) and not re.search(
        r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]", text.decode()
    )


def check_bibtex(text: bytes) -> None:
    database = bibtexparser.loads(text.decode(), bibtexparser.bparser.BibTexParser(ignore_nonstandard_types=False))
    (entry,) = database.entries
    assert set(entry) <= {
        "ENTRYTYPE", "ID", "title", "author", "institution", "publisher", "year", "type", "language", "isbn", "doi", "pages", "annote", "abstract", "url",
    }  # fmt: skip
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]", text.decode()) and not database.comments and not database.preambles
    assert not re.search(r"[{}\\]", entry.get("url", "") + entry.get("doi", ""))
    for value in (value for name, value in entry.items() if name not in ("url", "doi")):
        assert not re.search(r"(?<!\\)[$%#&]|\\input", value) and value.count("{") == value.count("}")


CHECKS = {
    "text/html": check_html, "application/atom+xml": check_xml, "application/xml": check_xml, "text/xml": check_xml,
    "application/opensearchdescription+xml": check_xml, "application/json": json.loads, "application/problem+json": json.loads,
    "application/vnd.citationstyles.csl+json": json.loads, "application/vnd.oai.openapi+json": json.loads, "text/csv": check_csv,
    "application/x-research-info-systems": check_ris, "application/x-bibtex": check_bibtex,
}  # fmt: skip
PLAIN = {"text/plain", "text/css", "text/javascript", "image/webp", "image/svg+xml", "application/pdf", "application/schema+json"}


def check(response) -> str:
    response.get_data()
    response.close()
    assert response.status_code < 500
    for name, value in response.headers:
        assert not re.search(r"[\x00-\x1f\x7f]", f"{name}{value}") and "a=b" not in name
    assert response.mimetype in CHECKS.keys() | PLAIN or response.status_code in (302, 303, 304, 308), response.mimetype
    if response.mimetype in CHECKS and response.data:
        CHECKS[response.mimetype](response.data)
    return response.mimetype


def test_nothing_that_data_or_questions_hold_becomes_more_than_text(app, shelf, analyst):
    digest, met, wrong = places(shelf)["digest"], set(), []
    for path, asked in product(addresses(app), ASKED):
        query = urlencode({name: value.replace("DIGEST", digest) for name, value in asked.items()})
        address = f"{path}?{query}" if query else path
        try:
            met.add(check(analyst.get(address)))
        except (AssertionError, ValueError, SyntaxError, OSError) as error:
            wrong.append(f"{path} {sorted(asked)}: {type(error).__name__} {error}"[:1500])
    assert wrong == [], "\n\n".join(wrong)
    assert met >= CHECKS.keys() - {"application/problem+json", "application/vnd.oai.openapi+json", "application/json"}


def test_the_data_do_stand_on_the_pages_as_text(app, shelf, analyst):
    for address in (
        "/?q=forest",
        f"/publications/{quote(NAME)}",
        "/desk/publications",
        f"/desk/publications/{quote(NAME)}",
        "/desk/log",
        "/search.atom",
    ):
        assert f"&lt;{MARKER}" in analyst.get(address).text, address
    assert f"<{MARKER}" in analyst.get("/api/v1/search?q=forest").text


def test_a_form_of_the_desk_that_is_sent_with_such_text_shows_it_as_text(analyst, app):
    for address in ("/desk/new-publication", f"/desk/publications/{quote(NAME)}"):
        fields = [
            "title_language",
            "title_text",
            "year",
            "kind",
            "topics",
            "countries",
            "edition_language",
            "edition_label",
            "edition_part",
            "edition_file",
            "edition_id",
        ]
        for data in (dict.fromkeys(fields, EVIL), {**dict.fromkeys(fields, EVIL), "more": "1"}):
            response = analyst.post(address, data=data)
            check(response)
            assert response.status_code in (200, 400) and f"&lt;{MARKER}" in response.text


def raw(output: str) -> str:
    """What a terminal would take for a command, or turn text by."""
    return re.sub(r"[^\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", "", output)


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_no_control_character_reaches_the_terminal(shelf, monkeypatch, form):
    monkeypatch.setattr(cli, "open_encoder", lambda *_: LexiconEncoder())
    for command in (["search", "forest"], ["status"]):
        result = CliRunner().invoke(cli.main, [*command, "--library", str(shelf.folder), *form])
        assert (
            result.exit_code == 0 and MARKER in result.output and raw(result.output) == ("" if form else raw(result.output).replace("\x1b", "")) == ""
        )
        assert not form or json.loads(result.stdout)


def test_the_report_of_an_ingest_prints_no_control_character(shelf, capsys):
    with reading() as progress:
        progress(1, 2, f"[bold]{EVIL}")
    print_report(Report(shelf.edition_states(), [f"{EVIL}: expected"], [EVIL], [NAME]))
    said = capsys.readouterr()
    assert MARKER in said.out and raw(said.out + said.err) == ""


def test_an_error_and_a_warning_print_no_control_character(tmp_path, caplog):
    result = CliRunner().invoke(cli.main, ["status", "--library", str(tmp_path / "\x1b[31m\u202ex")])
    assert result.exit_code == 2 and "No library in" in result.output and raw(result.output) == ""
