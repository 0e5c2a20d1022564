from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from hashlib import sha256
from html import unescape
from urllib.parse import quote

import bibtexparser
import pytest
import rispy
from conftest import LexiconEncoder
from filling import fill, publication

from index.contents import EditionState
from index.library import Library
from ingest.records import Page
from search_app.citing import cited
from search_app.factory import create_app

TEXTS = {
    "th": ["ป่าและน้ำ", "ป่าอยู่ริมแม่น้ำ เด็กเดินไปโรงเรียน"],
    "de": ["Der Wald.", "Die Kinder gehen zur Schule: 100 % & mehr. Und im Wald steht ein", "Haus am Wasser. Ende."],
}
HOST = "http://localhost"


def digest_of(edition_id: str) -> str:
    return sha256(edition_id.encode()).hexdigest()


def address(edition_id: str, number: int) -> str:
    return f"/pages/{digest_of(edition_id)[:16]}/{number}"


@pytest.fixture(scope="module")
def shelf(tmp_path_factory) -> Library:
    """Woods in Thai and German, whose second page is printed "iv" and ends in a footnote, and a book in Khmer without a file."""
    library, encoder = Library.create(tmp_path_factory.mktemp("library") / "library"), LexiconEncoder()
    woods = publication(
        "woods", ["th", "de"], titles={"th": "ป่าของเรา", "de": "Unser Wald & wir", "en": "Our </script> Forest"}, abstracts={"th": "เรื่องป่า"}, topics=("schools", "water"),
        authors=("ใจดี, สมชาย", "เครือข่าย"), publisher="เครือข่าย", doi="10.5555/woods", year=2021,
    )  # fmt: skip
    woods = replace(woods, editions=tuple(replace(one, digest=digest_of(one.edition_id)) for one in woods.editions))
    fill(library, encoder, woods, TEXTS)
    german = woods.editions[1]
    pages = [
        Page(german.edition_id, 1, "iii", TEXTS["de"][0], "good"),
        Page(german.edition_id, 2, "iv", TEXTS["de"][1] + "\n1 Siehe dort.", "good", footnotes=len(TEXTS["de"][1]) + 1),
        Page(german.edition_id, 3, "", TEXTS["de"][2], "good"),
    ]
    library.put_reading(EditionState(german, "read", "", 1, "folder"), pages, [], encoder.encode_passages([]))
    library.put_publication(publication("សៀវភៅ", ["km"], isbn="9783161484100", authors=("សុខ ស្រីមុំ",)), "folder", [], encoder.encode_passages([]))
    return library


@pytest.fixture
def app(shelf):
    return create_app(shelf, LexiconEncoder())


@pytest.fixture
def client(app):
    return app.test_client()


def head_of(page: str) -> tuple[dict[str, list[str]], dict]:
    """The Highwire tags and the linked data of a page."""
    tags: dict[str, list[str]] = {}
    for name, value in re.findall(r'<meta name="(citation_\w+)" content="([^"]*)">', page):
        tags.setdefault(name, []).append(unescape(value))
    (data,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    return tags, json.loads(data)


def test_a_passage_is_cited_with_its_printed_page_its_words_and_its_permanent_address(client):
    said = "Die Kinder gehen zur Schule: 100 % & mehr."
    path = address("woods.de", 2)
    saved = client.get(path + ".ris", query_string={"quote": said}, headers={"Accept-Language": "en"})
    (entry,) = rispy.loads(saved.data.decode())
    assert (entry["title"], entry["translated_title"], entry["start_page"], entry["notes"]) == (
        "Unser Wald & wir",
        "Our </script> Forest",
        "iv",
        [said],
    )
    assert (entry["urls"], entry["language"], entry["authors"]) == ([f"{HOST}{path}?quote={quote(said, safe='')}"], "de", ["ใจดี, สมชาย", "เครือข่าย"])
    assert saved.headers["Content-Type"] == "application/x-research-info-systems; charset=utf-8"
    assert saved.headers["Content-Disposition"] == "attachment; filename=woods-de-piv.ris"
    (entry,) = bibtexparser.loads(client.get(path + ".bib", query_string={"quote": said}).data.decode()).entries
    assert (entry["pages"], entry["annote"]) == ("iv", said.replace("%", r"\%").replace("&", r"\&"))
    (item,) = client.get(path + ".csl.json", query_string={"quote": said}).get_json(force=True)
    assert (item["page"], item["note"], item["URL"]) == ("iv", said, f"{HOST}{path}?quote={quote(said, safe='')}")


@pytest.mark.parametrize(
    ("edition_id", "number", "said"),
    [
        ("woods.th", 2, "ป่าอยู่ริมแม่น้ำ"), ("woods.th", 2, "ป่าอยู่ริม แม่น้ำ\nเด็ก"), ("woods.de", 2, "im Wald steht ein Haus am Wasser."), ("woods.de", 3, "im Wald steht ein Haus am Wasser."),
        ("woods.de", 2, "Siehe dort."), ("woods.de", 2, "die kin-der gehen"),
    ],
)  # fmt: skip
def test_a_quotation_may_run_over_the_end_of_its_page_and_be_spaced_otherwise(client, edition_id, number, said):
    (item,) = client.get(address(edition_id, number) + ".csl.json", query_string={"quote": said}).get_json(force=True)
    assert item["note"] == " ".join(said.split())


@pytest.mark.parametrize(
    ("number", "said"), [(2, "Kinder sind selbst schuld."), (2, "Haus am Wasser."), (3, "Und im Wald steht ein"), (1, "Die Kinder")]
)
def test_nobody_is_made_to_say_what_is_not_on_the_page(client, number, said):
    answer = client.get(address("woods.de", number) + ".ris", query_string={"quote": said})
    assert answer.status_code == 404 and "does not hold this quotation" in answer.text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/pages/0000/1.ris", 404), (f"/pages/{'f' * 16}/1.ris", 404), (address("woods.de", 9) + ".ris", 404), (address("woods.de", 2) + ".xml", 404), ("/publications/none.ris", 404),
        ("/publications/woods.ris?edition=woods.fr", 404), (address("woods.de", 2) + ".ris?quote=" + "a" * 5000, 400), (f"/pages/{digest_of('woods.de')}/2.ris", 200),
    ],
)  # fmt: skip
def test_what_is_not_there_is_said_so(client, path, status):
    assert client.get(path).status_code == status


@pytest.mark.parametrize(
    ("query", "reader", "title", "translated"),
    [
        ("", "th,en;q=0.5", "ป่าของเรา", None), ("", "de-CH", "Unser Wald & wir", None), ("", "fr", "ป่าของเรา", "Our </script> Forest"),
        ("?edition=woods.de", "th", "Unser Wald & wir", "ป่าของเรา"), ("?edition=woods.th", "am", "ป่าของเรา", "Our </script> Forest"),
    ],
)  # fmt: skip
def test_a_publication_is_cited_in_the_edition_asked_for_else_in_the_readers(client, query, reader, title, translated):
    (entry,) = rispy.loads(client.get("/publications/woods.ris" + query, headers={"Accept-Language": reader}).data.decode())
    assert (entry["title"], entry.get("translated_title")) == (title, translated)
    assert entry["urls"] == [f"{HOST}/publications/woods"] and entry.get("abstract") == ("เรื่องป่า" if title.startswith("ป") else None)


def test_names_in_other_scripts_can_be_saved(client):
    saved = client.get("/publications/សៀវភៅ.bib")
    (entry,) = bibtexparser.loads(saved.data.decode()).entries
    assert (entry["ENTRYTYPE"], entry["author"], entry["url"]) == ("book", "{សុខ ស្រីមុំ}", f"{HOST}/publications/{quote('សៀវភៅ')}")
    assert saved.headers["Content-Disposition"].isascii()


def test_the_head_of_a_publication_is_what_zotero_reads(client):
    tags, _ = head_of(client.get("/publications/woods", headers={"Accept-Language": "de"}).text)
    assert tags == {
        "citation_title": ["Unser Wald & wir"], "citation_author": ["ใจดี, สมชาย", "เครือข่าย"], "citation_publication_date": ["2021"],
        "citation_technical_report_institution": ["เครือข่าย"], "citation_language": ["de"], "citation_doi": ["10.5555/woods"],
        "citation_keywords": ["schools; water"], "citation_public_url": [f"{HOST}/publications/woods"], "citation_pdf_url": [f"{HOST}/files/woods.de"],
    }  # fmt: skip
    assert head_of(client.get("/publications/woods?edition=woods.de", headers={"Accept-Language": "th"}).text)[0] == tags
    book, _ = head_of(client.get("/publications/សៀវភៅ").text)
    assert book["citation_isbn"] == ["9783161484100"] and "citation_technical_report_institution" not in book and "citation_pdf_url" not in book


def test_linked_data_names_the_editions_as_translations_of_one_work(client):
    _, data = head_of(client.get("/publications/woods").text)
    assert (data["@id"], data["@type"], data["inLanguage"]) == (f"{HOST}/publications/woods", "Report", ["th", "de"])
    assert {"@value": "Our </script> Forest", "@language": "en"} in data["name"] and data["sameAs"] == "https://doi.org/10.5555/woods"
    assert data["author"] == [
        {"@type": "Person", "name": "ใจดี, สมชาย", "familyName": "ใจดี", "givenName": "สมชาย"},
        {"@type": "Organization", "name": "เครือข่าย"},
    ]
    assert [(one["inLanguage"], one["name"], one["translationOfWork"], one["url"]) for one in data["workTranslation"]] == [
        ("th", "ป่าของเรา", {"@id": data["@id"]}, f"{HOST}/files/woods.th"), ("de", "Unser Wald & wir", {"@id": data["@id"]}, f"{HOST}/files/woods.de"),
    ]  # fmt: skip
    _, alone = head_of(client.get("/publications/សៀវភៅ").text)
    assert alone["@type"] == "Book" and "workTranslation" not in alone and alone["author"] == ["សុខ ស្រីមុំ"]


def test_the_head_links_to_citations_editions_and_the_address_without_a_question(client):
    page = client.get("/publications/woods?q=ป่า").text
    assert f'<link rel="canonical" href="{HOST}/publications/woods">' in page
    assert re.findall(r'<link rel="alternate" hreflang="(\w+)" href="([^"]*)">', page) == [("th", "/files/woods.th"), ("de", "/files/woods.de")]
    for where in re.findall(r'<link rel="describedby" type="[^"]*" href="([^"]*)">', page):
        assert client.get(unescape(where)).status_code == 200 and f'href="{where}"' in page.split("</head>")[1]


def test_a_page_is_cited_in_its_head_and_by_its_links(app):
    with app.test_request_context("/", headers={"Accept-Language": "en"}):
        library = app.extensions["searcher"].library
        woods = library.publication("woods")
        shown = {"citation": cited(woods, woods.editions[1], 2, "Die Kinder")}
        head = app.jinja_env.get_template("citing_head.html").render(shown)
        links = app.jinja_env.get_template("citing_page.html").render(shown)
    tags, data = head_of(head)
    path = address("woods.de", 2)
    assert (tags["citation_firstpage"], tags["citation_language"], tags["citation_public_url"]) == (
        ["iv"],
        ["de"],
        [f"{HOST}{path}?quote=Die%20Kinder"],
    )
    assert (data["@type"], data["pagination"], data["isPartOf"]) == ("WebPage", "iv", {"@id": f"{HOST}/publications/woods#woods.de"})
    assert f'<link rel="canonical" href="{HOST}{path}">' in head and data["mainEntity"]["@id"] == f"{HOST}/publications/woods"
    assert re.findall(r'href="([^"]*)"', links) == [
        f"{path}.ris?quote=Die+Kinder", f"{path}.bib?quote=Die+Kinder", f"{path}.csl.json?quote=Die+Kinder", f"{HOST}{path}?quote=Die%20Kinder",
    ]  # fmt: skip


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium")
def test_a_browser_finds_linked_data_within_the_policy_and_saves_a_citation_with_one_click(served):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page()
        page.add_init_script("window.refused = []; addEventListener('securitypolicyviolation', event => refused.push(event.violatedDirective))")
        page.goto(f"{served}/publications/woods")
        assert page.evaluate("JSON.parse(document.querySelector('script[type=\"application/ld+json\"]').textContent)['@type']") == "Report"
        assert page.evaluate("refused") == []
        page.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: '1'}))")
        assert page.evaluate("refused") == ["script-src-elem"]  # the policy does refuse what would run
        with page.expect_download() as download:
            page.click("text=RIS")
        (entry,) = rispy.loads(download.value.path().read_text("utf-8"))
        assert (download.value.suggested_filename, entry["type_of_reference"]) == ("woods-th.ris", "RPRT")
        browser.close()
