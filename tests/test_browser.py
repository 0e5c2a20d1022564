"""What a reader does, in a real browser, against the sample library: ask, open the page, see the marks, turn to another edition, cite."""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

import pytest
import rispy
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Request, Response, sync_playwright
from waitress.server import create_server

from ingest.records import WordBox
from search_app.factory import create_app
from search_app.interface import LANGUAGES

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here; on Debian: apt install chromium")

QUESTION = "ผู้ประกอบการเรือต้องแจ้งอายุของเด็กก่อนออกเดินทางอย่างไร"  # Thai, of which the publication that answers has no edition
PUBLICATION = "safe-terminals"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
HEAVIEST = 100_000  # bytes of a page with its styles and scripts, as sent, before pictures of pages
PLACE = 2.0  # points that a mark may lie beside the word it marks
PAGES = [
    "/", f"/?q={quote(QUESTION)}", "/?q=forest&language=eo", '/?q="zzz qqq"', f"/publications/{PUBLICATION}",
    f"/publications/{PUBLICATION}?q={quote(QUESTION)}", "PAGE VIEW", "LIKE", "/languages", "/quality", "/gaps", "/gaps?languages=km,sw,sn&by=sw", "/api/", "/nowhere",
]  # fmt: skip
LOOKS = {
    "light": {"locale": "en"},
    "dark": {"locale": "en", "color_scheme": "dark"},
    "right to left": {"locale": "ar"},
    "narrow": {"locale": "km", "width": 320},
    "narrow, dark, right to left": {"locale": "fa", "width": 320, "color_scheme": "dark"},
}


@dataclass
class Site:
    """The sample library, served on this machine, and a browser to look at it."""

    address: str
    browser: Browser
    elsewhere: list[str] = field(default_factory=list)  # requests to other hosts
    complaints: list[str] = field(default_factory=list)  # what the browser says of the pages
    known: dict[str, str] = field(default_factory=dict)  # addresses that are found out once
    opened: list[BrowserContext] = field(default_factory=list)  # until the test ends

    def visit(self, path: str, width: int = 1280, **options: object) -> Page:
        self.opened.append(self.browser.new_context(viewport={"width": width, "height": 900}, **options))  # type: ignore[arg-type]
        page = self.opened[-1].new_page()
        page.on("request", self._note)
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" and "404" not in said.text else None)
        page.goto(self.address + self.known.get(path, path), wait_until="load")
        return page

    def _note(self, request: Request) -> None:
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.elsewhere.append(request.url)


@pytest.fixture(scope="module")
def site(sample_library, real_encoder) -> Iterator[Site]:
    server = create_server(create_app(sample_library, real_encoder), host="127.0.0.1", port=0)
    threading.Thread(target=server.run, daemon=True).start()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        site = Site(f"http://127.0.0.1:{server.effective_port}", browser)
        first = site.visit(f"/?q={quote(QUESTION)}").locator(".hits > li").first
        site.known["PAGE VIEW"] = str(first.locator("ul.links a.open").get_attribute("href"))
        site.known["LIKE"] = str(first.locator("a[href^='/like']").get_attribute("href"))
        yield site
        browser.close()
    server.close()


@pytest.fixture(autouse=True)
def closing(site: Site) -> Iterator[None]:
    yield
    while site.opened:
        site.opened.pop().close()


def ask(page: Page, question: str) -> None:
    page.get_by_role("searchbox").fill(question)
    page.get_by_role("searchbox").press("Enter")
    page.locator(".hits > li").first.wait_for()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_a_question_is_answered_and_the_answer_opened_with_its_marks_on_the_words_of_the_page(site, sample_library, scripts):
    page = site.visit("/", java_script_enabled=scripts)
    ask(page, QUESTION)
    first = page.locator(".hits > li").first
    assert (
        first.locator("h2 a").get_attribute("href") == f"/publications/{PUBLICATION}"
        and first.locator("article > blockquote mark.meaning").count() > 0
    )
    sentence = " ".join("".join(first.locator("article > blockquote mark.meaning").all_text_contents()).split())
    first.locator("ul.links a.open").click()
    page.wait_for_load_state("load")
    digest, number = re.search(r"/pages/([0-9a-f]{16})/(\d+)", page.url).groups()
    shown = sample_library.page(sample_library.edition_of_file(digest).edition_id, int(number))
    sheet = page.locator(".sheet img").bounding_box()
    height = float(page.locator("svg.overlay").get_attribute("viewBox").split()[3])
    start = shown.text.replace("\n", " ").index(sentence)
    words = shown.boxes.within(start, start + len(sentence))
    marks = [mark.bounding_box() for mark in page.locator("svg.overlay rect.meaning").all()]
    assert marks and words and all(any(covers(mark, sheet, word, height) for mark in marks) for word in words)
    assert all(any(covers(mark, sheet, word, height) for word in words) for mark in marks), "a mark lies where no word of the sentence stands"


def covers(mark: dict[str, float], sheet: dict[str, float], word: WordBox, height: float) -> bool:
    """Whether the middle of a word, in points of a page of this height, lies in a mark, in pixels of the window."""
    scale = sheet["height"] / height
    across, down = sheet["x"] + (word.left + word.right) / 2 * scale, sheet["y"] + (height - (word.bottom + word.top) / 2) * scale
    slack = PLACE * scale
    return mark["x"] - slack <= across <= mark["x"] + mark["width"] + slack and mark["y"] - slack <= down <= mark["y"] + mark["height"] + slack


def test_answers_come_while_the_question_is_typed_and_the_address_can_be_shared(site):
    page = site.visit("/")
    page.get_by_role("searchbox").press_sequentially("boat operators children", delay=20)
    page.locator(".hits > li").first.wait_for()
    page.wait_for_url("**/?*q=boat*children*")
    again = site.visit(page.url.removeprefix(site.address))
    assert again.locator(".hits h2").all_text_contents() == page.locator(".hits h2").all_text_contents()


def test_answers_can_be_narrowed_down_to_a_language(site):
    page = site.visit(f"/?q={quote(QUESTION)}")
    page.locator("summary", has_text="Narrow down").click()
    page.locator("input[name=language][value=es]").check()
    page.get_by_role("searchbox").press("Enter")
    page.wait_for_url("**language=es**")
    page.locator(".hits > li").first.wait_for()
    assert {found.get_attribute("lang") for found in page.locator(".hits > li > article > blockquote").all()} == {"es"}


def test_the_same_passage_is_shown_in_the_readers_edition_on_its_page(site):
    page = site.visit("PAGE VIEW", locale="fr")
    counterpart = page.locator(".counterpart")
    assert counterpart.locator("blockquote").get_attribute("lang") == "fr" and counterpart.locator("mark.meaning").count() > 0
    counterpart.locator("a.open").click()
    page.wait_for_load_state("load")
    assert page.locator(".page-text [lang=fr]").count() > 0 and page.locator("svg.overlay rect.meaning").count() > 0


def test_a_citation_is_saved_with_page_and_quotation(site):
    page = site.visit("PAGE VIEW")
    with page.expect_download() as saving:
        page.get_by_role("link", name="RIS", exact=True).click()
    (entry,) = rispy.loads(saving.value.path().read_text("utf-8"))
    assert entry["authors"] and entry["year"] and "/pages/" in entry["urls"][0] and "quote=" in entry["urls"][0]


def test_the_permanent_address_leads_back_to_the_passage(site):
    page = site.visit("PAGE VIEW")
    marked = page.locator("svg.overlay rect.meaning").count()
    page.get_by_role("link", name="Permanent address").click()
    page.wait_for_load_state("load")
    assert "q=" not in unquote(page.url).split("quote=")[0] and page.locator("svg.overlay rect.meaning").count() == marked > 0


def test_everything_is_done_with_the_keyboard_alone(site):
    page = site.visit("/")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.type("How many days did agents take to answer?")
    page.keyboard.press("Enter")
    page.locator(".hits > li").first.wait_for()
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.classList.contains('open')"):
            break
    ring = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    page.keyboard.press("Enter")
    page.wait_for_url("**/pages/**")
    assert ring == "solid"


def test_the_arabic_interface_is_arabic_and_runs_from_right_to_left(site):
    page = site.visit("/", locale="ar")
    assert page.locator("html").get_attribute("dir") == "rtl" and re.search("[\u0621-\u064a]", page.get_by_role("button").first.inner_text())
    box, button = page.get_by_role("searchbox").bounding_box(), page.locator(".box button").bounding_box()
    assert button["x"] < box["x"]
    page.locator("footer button[value=en]").click()
    page.wait_for_load_state("load")
    assert page.locator("html").get_attribute("lang") == "en"


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("path", PAGES)
def test_everyone_can_use_every_page_in_every_look(site, path, look):
    page = site.visit(path, **LOOKS[look])
    found = Axe().run(page, options={"runOnly": RULES, "resultTypes": ["violations"]}).response["violations"]
    assert [(one["id"], [node["html"][:200] for node in one["nodes"]][:3]) for one in found] == []
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), "it must be scrolled sideways"


@pytest.mark.parametrize("path", PAGES)
def test_no_page_is_heavy(site, path):
    sizes: dict[str, int] = {}

    def weigh(answer: Response) -> None:
        if ".webp" not in answer.url:
            sizes[answer.url] = answer.request.sizes()["responseBodySize"]

    site.opened.append(site.browser.new_context(locale="ar"))
    page = site.opened[-1].new_page()
    page.on("response", weigh)
    page.goto(site.address + site.known.get(path, path), wait_until="networkidle")
    assert sizes and sum(sizes.values()) < HEAVIEST


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_interface_speaks_every_language_it_offers(site, language):
    page = site.visit("/", locale=language)
    assert page.locator("html").get_attribute("lang") == language
    assert (page.locator("label[for=q]").inner_text() == "Ask in any language") == (language == "en")


def test_nothing_was_loaded_from_elsewhere_and_no_page_broke_its_own_rules(site):
    for path in PAGES:
        site.visit(path).wait_for_load_state("networkidle")
    assert (site.elsewhere, site.complaints) == ([], [])
