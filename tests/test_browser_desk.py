"""The desk in a real browser: everyone can use each of its pages, in light and dark, on a narrow screen, in Arabic; nothing comes from elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import CORPUS, LexiconEncoder, pdf_of
from filling import fill, publication
from playwright.sync_api import StorageState, sync_playwright
from test_browser import CHROMIUM, RULES, Site
from test_desk_report import CONDITIONS
from test_listing import LISTING
from waitress.server import create_server

from index import generations
from index.accounts import Accounts
from index.contents import EditionState
from index.decisions import Decisions
from index.durable import checksum
from index.jobs import Jobs
from index.library import Library
from index.questions import Questions
from index.uploads import Uploads
from ingest.imports import read_import
from ingest.records import Page
from search_app import storing
from search_app.factory import create_app
from search_app.importing import compare, store
from search_app.work import generation
from search_app.work.task import Task

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here; on Debian: apt install chromium")

ENCODER = LexiconEncoder()
PASSWORD = "a long enough password"
WORKS = {
    "woods": {"en": ["The forest grows.", "A school stands in it."], "ar": ["غابة كبيرة"], "th": ["ป่าใหญ่"]},
    "rivers": {"th": ["น้ำไหลผ่านป่า", "น้ำลึก"], "km": ["ទឹក"]},
    "roads": {"ko": ["버스 bus"], "hi": ["बस bus forest"], "my": ["ဘတ်စ်ကား bus"]},
}
FILES = {"report-fr.pdf": "fr", "report-es.pdf": "es", "a-name-that-no-line-of-a-narrow-screen-holds-however-it-is-broken-2019.pdf": "am"}
PAGES = [
    "/desk", "/desk/files", "/desk/publications", "/desk/publications/law", "/desk/publications/woods/remove", "/desk/new-publication", "/desk/import",
    "PREVIEW", "/desk/jobs", "/desk/jobs/1", "/desk/index", "/desk/report", "/desk/report/law.ar?show=all", "/desk/log", "/desk/password", "/desk/nowhere",
]  # fmt: skip
LOOKS = {
    "light": {"locale": "en"},
    "dark": {"locale": "en", "color_scheme": "dark"},
    "narrow, right to left": {"locale": "ar", "width": 320},
}


def furnish(library: Library) -> None:
    """Put something on every page of the desk."""
    for name, texts in WORKS.items():
        fill(library, ENCODER, publication(name, list(texts), titles={tag: f"{name}: {texts[tag][0]}" for tag in texts}), texts)
    generations.build(library)
    Accounts(library).put("ana", PASSWORD)
    Questions(library).add("ana", "ما هي الغابة؟")
    Questions(library).add("ana", "bus")
    put_document(library)
    for name, language in FILES.items():
        put_file(library, name, language)
    law = library.entry("law")
    storing.change_entry(library, "ana", "edited", law, replace(law, titles={**law.titles, "lo": "ກົດໝາຍ"}, year=2021))
    found = read_import(LISTING.encode(), "")
    store(library, "ana", "listing.txt", [(row.entry, "add") for row in compare(library, found.entries)][-2:])
    jobs = Jobs(library)
    failed = jobs.add("reading", "ana", ["law.ar"], {"publication_id": "law"})
    for job in jobs.jobs():
        jobs.end(job.job_id, "failed" if job.job_id == failed else "done", "the disk was full" if job.job_id == failed else "")
    fill(library, ENCODER, publication("lakes", ["ja"]), {"ja": ["water forest forest"]})
    generation.run(Task(library, jobs.job(jobs.add("generation", "ana")), lambda _: ENCODER))


def put_document(library: Library) -> None:
    """A PDF whose pages could be read well and badly, and what was decided about one of them."""
    file = CORPUS / "platform-reporting-law" / "ar.pdf"
    plain = publication("law", ["ar"], titles={"ar": "قانون"})
    (edition,) = (replace(one, digest=checksum(file)) for one in plain.editions)
    library.put_publication(replace(plain, editions=(edition,)), "folder", [], ENCODER.encode_passages([]))
    library.keep_file(file, checksum(file))
    pages = [Page(edition.edition_id, place, "", text, health, cause=cause) for place, (health, cause, text) in enumerate(CONDITIONS, start=1)]  # type: ignore[arg-type]
    library.put_reading(EditionState(edition, "partly read", "", len(pages), "folder"), pages, [], ENCODER.encode_passages([]))
    Decisions(library).put("ana", checksum(file), [3], "ignore")


def put_file(library: Library, name: str, language: str) -> None:
    """A file that was sent and examined."""
    content = pdf_of([name])
    box = Uploads(library)
    upload = box.create("ana", name, len(content))
    box.append(upload.upload_id, 0, [content])
    box.finish(upload.upload_id, lambda _: "")
    said = {"language": language, "title": f"Title of {name}", "year": 2020, "pages": 3, "health": {"good": 2, "suspect": 1}, "abstract": "ሰላም"}
    box.put_findings(upload.upload_id, said)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, StorageState]]:
    """The site, and what a browser keeps in which "ana" is signed in."""
    library = Library.create(tmp_path_factory.mktemp("desk") / "library")
    furnish(library)
    server = create_server(create_app(library, ENCODER), host="127.0.0.1", port=0)
    threading.Thread(target=server.run, daemon=True).start()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        site = Site(f"http://127.0.0.1:{server.effective_port}", browser)
        yield site, sign_in(site, library.folder.parent / "listing.txt")
        browser.close()
    server.close()


def sign_in(site: Site, listing: Path) -> StorageState:
    """Sign in, and send a catalogue, so that there is a preview."""
    page = site.visit("/desk/sign-in?back=/desk/import")
    page.fill("#name", "ana")
    page.fill("#password", PASSWORD)
    page.click("main button")
    listing.write_text(LISTING, "utf-8")
    page.set_input_files("#file", listing)
    page.click("main form button")
    page.wait_for_url("**/desk/import/*")
    site.known["PREVIEW"] = page.url.removeprefix(site.address)
    return page.context.storage_state()


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("path", PAGES)
def test_every_analyst_can_use_every_page_of_the_desk_in_every_look(desk, path, look):
    site, signed_in = desk
    page = site.visit(path, **LOOKS[look], storage_state=signed_in)
    page.evaluate("document.querySelectorAll('main details').forEach((one) => { one.open = true })")
    found = Axe().run(page, options={"runOnly": RULES, "resultTypes": ["violations"]}).response["violations"]
    sideways = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    page.context.close()
    assert [(one["id"], [node["html"][:200] for node in one["nodes"]][:3]) for one in found] == []
    assert sideways <= 0, "it must be scrolled sideways"
    assert (site.elsewhere, site.complaints) == ([], [])


def test_whoever_is_not_signed_in_is_asked_to_and_comes_back(desk):
    site, _ = desk
    page = site.visit("/desk/report?state=failed")
    page.fill("#name", "ana")
    page.fill("#password", PASSWORD)
    page.click("main button")
    page.wait_for_url("**/desk/report?state=failed")
    assert page.locator("nav.desk a[aria-current]").get_attribute("href") == "/desk/report"
