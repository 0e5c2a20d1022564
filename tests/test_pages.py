"""The page view: the picture with its passage outlined, the text, and an address that lasts."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

import pytest
from conftest import LexiconEncoder, pdf_of
from hostile import HOSTILE, assembled, stream, word_file

from index.library import Library
from ingest.records import WordBox, WordBoxes
from search_app.factory import create_app
from search_app.ingesting import ingest
from search_app.overlay import lines

FIRST = ["Contents of this report on the region.", "The people of the valley have lived with it for a long time."]
SECOND = ["The report is about trees. A forest and its people live by the river.", "Nothing more is said of it here, and the rest is silence."]
THIRD = ["The forest grows again. The rain fell on the hills for many days.", "The bus did not come."]
TURNED = "BT /F1 20 Tf 120 300 Td (The forest grows in the north of the country.) Tj ET"
ENTRY = 'year = 2021\n[title]\nen = "{name}"\n[[editions]]\nlanguage = "{language}"\nfile = "{file}"\n'


def turned() -> bytes:
    page = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /CropBox [50 70 590 770] /Rotate 90 /Contents 5 0 R"
    return assembled({4: page + " /Resources << /Font << /F1 3 0 R >> >> >>", 5: stream(TURNED)})


FILES = {
    "woods": ("en", "en.pdf", lambda: pdf_of(FIRST, SECOND, THIRD)),
    "turned": ("en", "turned.pdf", turned),
    "hostile": ("en", "hostile.pdf", HOSTILE["book with one hostile page.pdf"]),
    "letter": ("ar", "letter.docx", lambda: word_file("<w:p><w:r><w:t>تنمو الغابة قرب النهر. وفيها ماء كثير.</w:t></w:r></w:p>")),
}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory) -> Library:
    corpus, library = tmp_path_factory.mktemp("corpus"), Library.create(tmp_path_factory.mktemp("library"))
    for name, (language, file, content) in FILES.items():
        (corpus / name).mkdir()
        (corpus / name / "publication.toml").write_text(ENTRY.format(name=name, language=language, file=file), "utf-8")
        (corpus / name / file).write_bytes(content())
    ingest(corpus, library, LexiconEncoder(), workers=1)
    return library


@pytest.fixture(scope="module")
def application(shelf):
    made = create_app(shelf, LexiconEncoder())
    yield made
    made.extensions["pictures"].close()


@pytest.fixture
def client(application):
    return application.test_client()


def digest(library, edition_id):
    return library.digest(edition_id)[:16]


def address(library, edition_id, number):
    return f"/pages/{digest(library, edition_id)}/{number}"


class Overlay(HTMLParser):
    """The viewBox, the rectangles by class and the outline of the overlay."""

    def __init__(self, html):
        super().__init__()
        self.box, self.rectangles, self.outline = (), [], ""
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        if tag == "svg":
            self.box = tuple(float(number) for number in found["viewbox"].split())
        elif tag == "rect":
            self.rectangles.append((found["class"], *(float(found[name]) for name in ("x", "y", "width", "height"))))
        elif tag == "path":
            self.outline = found["d"]


def said(html):
    return " ".join(unescape(re.sub("<[^>]*>", " ", html)).split())


def text_of(html):
    return html[html.index('class="page-text"') :]


def marked_sentence(html):
    return "".join(text for why, text in re.findall(r'<mark class="([^"]*)">([^<]*)</mark>', text_of(html)) if "meaning" in why)


@pytest.mark.parametrize("query", ["forest", "ป่า", "غابة"])
def test_the_page_opens_on_the_answer_with_sentence_and_words_on_the_boxes_of_the_pdf(shelf, client, query):
    html = client.get(address(shelf, "woods.en", 2), query_string={"q": query}).text
    overlay, page = Overlay(html), shelf.page("woods.en", 2)
    assert overlay.box == (0, 0, 595, 842)
    sentence = "A forest and its people live by the river."
    start = page.text.index(sentence)
    expected = [(box.left, box.top, box.width, box.height) for box in lines(page, start, start + len(sentence), 842)]
    found = [rest for why, *rest in overlay.rectangles if why == "meaning"]
    assert [pytest.approx(box, abs=0.06) for box in expected] == found
    words = [rest for why, *rest in overlay.rectangles if why == "words"]
    place = page.text.index("forest")
    (box,) = page.boxes.within(place, place + 6)
    assert words == ([pytest.approx([box.left, 842 - box.top, box.right - box.left, box.top - box.bottom], abs=0.06)] if query == "forest" else [])
    assert overlay.outline.startswith("M") and 'id="passage"' in html


def test_the_same_marks_stand_in_the_text_beside_it_for_who_does_not_see_the_picture(shelf, client):
    html = client.get(address(shelf, "woods.en", 2), query_string={"q": "forest"}).text
    marked = re.findall(r'<mark class="([^"]*)">([^<]*)</mark>', text_of(html))
    assert "".join(text for why, text in marked if "meaning" in why) == "A forest and its people live by the river."
    assert [text for why, text in marked if "words" in why] == ["forest"]
    assert re.search(r'aria-hidden="true"[^>]*>', html) and 'alt="Picture of page 2; its text follows"' in html
    assert "SILENCE" in said(html).upper()


def test_answers_are_turned_over_best_first_and_pages_in_order_without_any_script(shelf, client):
    html, seen = client.get(address(shelf, "woods.en", 3), query_string={"q": "forest"}).text, []
    count = int(re.search(r"Answer \d+ of (\d+), the best first", html).group(1))
    assert count >= 2
    while back := re.search(r'href="([^"]*#passage)">Previous answer', html):
        html = client.get(unescape(back.group(1))).text
    for _ in range(count):
        seen.append((int(re.search(r"Answer (\d+) of", html).group(1)), marked_sentence(html)))
        forth = re.search(r'href="([^"]*#passage)">Next answer', html)
        html = client.get(unescape(forth.group(1))).text if forth else html
    assert forth is None and [place for place, _ in seen] == list(range(1, count + 1)) and len({sentence for _, sentence in seen}) == count
    assert {"A forest and its people live by the river.", "The forest grows again."} & {sentence for _, sentence in seen}
    middle = client.get(address(shelf, "woods.en", 2)).text
    assert re.search(r'rel="prev" href="/pages/\w+/1"', middle) and re.search(r'rel="next" href="/pages/\w+/3"', middle)
    assert 'rel="prev"' not in client.get(address(shelf, "woods.en", 1)).text
    assert 'rel="next"' not in client.get(address(shelf, "woods.en", 3)).text
    assert not re.search(r"<script(?! src=\"/static/isogloss.js\"| type=\"application/ld)", middle) and "style=" not in middle


def test_where_nothing_on_the_page_answers_the_best_answer_is_one_click_away(shelf, client):
    html = client.get(address(shelf, "woods.en", 2), query_string={"q": "bus", "exact": "1"}).text
    link = re.search(r'href="([^"]*)">To the best answer', html).group(1)
    assert "/3?" in link and "The bus did not come." in said(client.get(unescape(link)).text)
    assert "Nothing in this edition answers" in client.get(address(shelf, "woods.en", 2), query_string={"q": "zebra", "exact": "1"}).text


@pytest.mark.parametrize("quotation", ["A forest and its people live by the river.", "a FOREST and  its people", "trees. A forest and"])
def test_a_quotation_is_outlined_without_any_question(shelf, client, quotation):
    answer = client.get(address(shelf, "woods.en", 2), query_string={"quote": quotation})
    marked = "".join(re.findall(r'<mark class="passage meaning">([^<]*)</mark>', text_of(answer.text)))
    assert marked.casefold().split() == quotation.casefold().rstrip(".").split() or marked.rstrip(".") == quotation.rstrip(".")
    assert Overlay(answer.text).rectangles and 'role="status"' not in answer.text
    assert answer.headers["Cache-Control"] == "private, no-store"  # it tells what somebody read


def test_the_permanent_address_quotes_the_sentence_and_leads_back_to_it(shelf, client):
    html = client.get(address(shelf, "woods.en", 2), query_string={"q": "forest"}).text
    link = unescape(re.search(r'rel="bookmark" href="([^"]*)"', html).group(1))
    assert "q=" not in link and f"/{digest(shelf, 'woods.en')}/2?quote=A%20forest" in link
    again = client.get(link).text
    assert [box for box in Overlay(again).rectangles if box[0] == "meaning"] == [box for box in Overlay(html).rectangles if box[0] == "meaning"]


def test_a_quotation_on_a_neighbouring_page_is_led_to(shelf, client):
    html = client.get(address(shelf, "woods.en", 1), query_string={"quote": "A forest and its people live"}).text
    assert "stand on a later page" in html and f"{address(shelf, 'woods.en', 2)}?quote=A+forest" in html


def test_a_quotation_that_is_read_otherwise_now_is_found_and_the_reader_is_told(shelf, client):
    html = client.get(address(shelf, "woods.en", 2), query_string={"quote": "A f0rest and it5 people Iive by the rivcr"}).text
    assert "no longer read letter by letter" in html
    assert "forest and its people live by the river" in "".join(re.findall(r'meaning">([^<]*)<', text_of(html)))


def test_a_quotation_that_is_nowhere_is_said_to_be_nowhere_and_the_page_is_shown(shelf, client):
    answer = client.get(address(shelf, "woods.en", 2), query_string={"quote": "Whoever wrote these words wrote them elsewhere"})
    assert answer.status_code == 200 and "neither on this page nor on the pages beside it" in answer.text and not Overlay(answer.text).outline


@pytest.mark.parametrize("path", ["/pages/0123456789abcdef/2", "/pages/xyz/2", "/pages/0123/2", "/pages/%25/1"])
def test_the_address_of_a_file_that_is_gone_is_explained_and_the_quotation_can_be_sought(client, path):
    answer = client.get(path, query_string={"quote": "مياه <b>نظيفة</b>"})
    assert answer.status_code == 404 and "no longer here" in answer.text
    assert "<b>" not in answer.text and re.search(r'href="/\?q=[^"]+"', answer.text)


def test_a_page_that_the_file_does_not_have_is_explained(shelf, client):
    answer = client.get(address(shelf, "woods.en", 9))
    assert answer.status_code == 404 and "it has 3 pages" in said(answer.text)


def test_marks_lie_on_the_words_of_a_turned_and_cropped_page(shelf, client):
    html = client.get(address(shelf, "turned.en", 1), query_string={"q": "forest"}).text
    overlay = Overlay(html)
    assert overlay.box == (0, 0, 700, 540)  # cropped to 540 by 700, then turned
    ((_, x, y, width, height),) = [box for box in overlay.rectangles if box[0] == "words"]
    # "forest" begins 120 + 40 points from the left, on the line 300 above the bottom; turned clockwise that line runs down the page
    assert (x, y) == (pytest.approx(300 - 70 - 5, abs=3), pytest.approx(120 - 50 + 40, abs=3))
    assert (width, height) == (pytest.approx(23, abs=3), pytest.approx(50, abs=3))
    assert len([box for box in overlay.rectangles if box[0] == "meaning"]) == 1


def test_the_picture_is_webp_in_few_widths_and_may_be_kept(shelf, client):
    path = f"{address(shelf, 'woods.en', 2)}"
    for name, code in ((".webp", 200), ("-600.webp", 200), ("-1400.webp", 200), ("-601.webp", 404), ("-99999.webp", 404)):
        assert client.get(path + name).status_code == code, name
    answer = client.get(path + ".webp")
    assert answer.mimetype == "image/webp" and answer.data[8:12] == b"WEBP" and len(answer.data) < 100_000
    assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert answer.headers["X-Content-Type-Options"] == "nosniff" and "default-src 'none'" in answer.headers["Content-Security-Policy"]
    again = client.get(path + ".webp", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert client.get(f"{address(shelf, 'woods.en', 9)}.webp").status_code == 404
    assert client.get("/pages/0123456789abcdef/1.webp").status_code == 404


def test_a_page_that_cannot_be_drawn_says_so_and_still_shows_what_was_read(shelf, client):
    state = next(state for state in shelf.edition_states("hostile"))
    if not shelf.page_count("hostile.en"):
        pytest.skip(f"the file was given up when it was read: {state.reason}")
    assert client.get(f"{address(shelf, 'hostile.en', 3)}.webp").status_code == 404
    answer = client.get(address(shelf, "hostile.en", 3))
    assert answer.status_code == 200 and "could not be drawn" in said(answer.text) and "<img" not in answer.text
    assert client.get(f"{address(shelf, 'hostile.en', 3)}.webp").status_code == 404
    sound = client.get(address(shelf, "hostile.en", 2)).text
    assert "<img" in sound and "could not be drawn" not in said(sound)


def test_a_word_file_has_no_picture_but_its_text_and_marks(shelf, client):
    html = client.get(address(shelf, "letter.ar", 1), query_string={"q": "forest"}).text
    assert "<img" not in html and "<svg" not in html and "could not be drawn" not in html
    assert "تنمو الغابة قرب النهر." in "".join(re.findall(r'meaning">([^<]*)<', text_of(html)))
    assert '<div lang="ar" dir="rtl" id="passage">' in html and "Download the original" in html
    assert client.get(f"{address(shelf, 'letter.ar', 1)}.webp").status_code == 404


@pytest.fixture
def changed(shelf, monkeypatch):
    """Show page 2 of woods as if it had been read otherwise."""
    from dataclasses import replace

    real = type(shelf).page

    def change(**fields):
        monkeypatch.setattr(
            type(shelf),
            "page",
            lambda self, edition, number: (page := real(self, edition, number)) and replace(page, **(fields if number == 2 else {})),
        )

    return change


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"health": "recognised", "confidence": 0.95, "cause": "recognised with eng"}, "was recognised from its picture. It can be trusted"),
        ({"health": "recognised", "confidence": 0.8}, "It may hold wrong words."),
        ({"health": "recognised", "confidence": 0.5}, "It holds many wrong words."),
        (
            {"health": "suspect", "cause": "its letters are in a wrong encoding"},
            "could not be read rightly, so it is not searched. its letters are in",
        ),
        ({"health": "empty", "text": ""}, "There is no text on this page."),
        ({"health": "image only", "text": "", "cause": "no tesseract"}, "This page is a picture; no text on it could be recognised"),
    ],
)
def test_how_far_the_text_can_be_trusted_is_said_in_words(shelf, client, changed, fields, message):
    changed(**fields)
    assert message in said(client.get(address(shelf, "woods.en", 2)).text)


def test_without_boxes_the_passage_is_marked_in_the_text_alone(shelf, client, changed):
    changed(boxes=WordBoxes())
    html = client.get(address(shelf, "woods.en", 2), query_string={"q": "forest"}).text
    assert "<svg" not in html and "<img" in html and 'id="passage"' in html and 'class="passage meaning words"' in html


def test_the_printed_label_is_what_is_cited(shelf, client, changed):
    changed(label="iv")
    html = client.get(address(shelf, "woods.en", 2)).text
    assert "Page iv (2 of 3)" in html and 'href="/files/woods.en#page=2"' in html
    assert "Page 1 of 3" in client.get(address(shelf, "woods.en", 1)).text


def test_headings_and_footnotes_are_set_apart(shelf, client, changed):
    page = shelf.page("woods.en", 2)
    changed(footnotes=page.text.index("Nothing"), text=page.text.replace(" Nothing", "\nNothing"))
    html = text_of(client.get(address(shelf, "woods.en", 2)).text)
    assert re.search(r'<hr class="notes"><p class="footnote">Nothing more', html)


def test_a_passage_over_the_end_of_a_page_is_outlined_on_both_and_each_leads_to_the_other(shelf, client):
    """The last sentence of page 1 and the first of page 2, as quoted."""
    quotation = "lived with it for a long time. The report is about trees."
    first, second = (client.get(address(shelf, "woods.en", number), query_string={"quote": quotation}).text for number in (1, 2))
    assert Overlay(first).outline and Overlay(second).outline
    assert "The passage goes on, on a later page." in first and "The passage begins on an earlier page." in second


def test_a_question_is_not_kept_by_the_browser_and_too_long_a_one_is_refused(shelf, client):
    assert "no-store" in client.get(address(shelf, "woods.en", 2), query_string={"q": "forest"}).headers["Cache-Control"]
    assert client.get(address(shelf, "woods.en", 2), query_string={"quote": "x" * 2000}).status_code == 400


def test_the_page_is_light(shelf, client):
    assert len(client.get(address(shelf, "woods.en", 2), query_string={"q": "forest"}).data) < 20_000


def test_right_to_left_lines_are_marked_where_they_stand(shelf, client, changed):
    text = "تنمو الغابة قرب النهر"
    words = [(0, 4, 480, 520), (5, 11, 420, 470), (12, 15, 380, 410), (16, 21, 320, 370)]
    changed(text=text, boxes=WordBoxes.of(WordBox(start, end, left, 700, right, 714) for start, end, left, right in words))
    html = client.get(address(shelf, "woods.en", 2), query_string={"quote": "الغابة قرب النهر"}).text
    assert Overlay(html).rectangles == [("meaning", 320, 128, 150, 14)]


@pytest.mark.parametrize("form", ["/pages/{}/{}", "/pages/{}/{}.webp", "/pages/{}/{}.ris", "/like?page={}/{}"])
def test_no_file_has_a_page_of_a_number_that_no_book_reaches(client, shelf, form):
    assert client.get(form.format(digest(shelf, "woods.en"), "9" * 30)).status_code == 404


@pytest.mark.parametrize("form", ["/pages/{}/2?", "/pages/{}/2.ris?", "/like?page={}/2&"])
def test_no_address_quotes_more_than_a_passage_holds(client, shelf, form):
    assert client.get(form.format(digest(shelf, "woods.en")) + "quote=" + "x" * 1001).status_code == 400
