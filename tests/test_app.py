from __future__ import annotations

import gzip
import html
import random
import re
from hashlib import sha256

import pytest
from conftest import LexiconEncoder, pdf_of
from filling import fill, publication
from hostile import word_file

from index import generations
from index.alignment import LanguagePrior
from index.library import Library
from index.searcher import Query
from ingest.formats import WORD
from search_app.facets import MOST_CHOSEN
from search_app.factory import create_app
from search_app.ingesting import ingest
from search_app.marking import marked

SCRIPT = "<script>alert(1)</script>"
WOODS = f"""
year = 2021
kind = "study"
topics = ["water & <i>land</i>"]
countries = ["KH"]
source = "https://lantern.example/?a=1&b=2"
title = {{ en = "{SCRIPT} & Woods", ar = "الغابة", km = "ព្រៃ", de = "Wälder" }}
abstract = {{ ar = "بحث عن الأشجار", en = "A study of trees" }}
[[editions]]
language = "en"
label = "<b>English</b>"
file = "en.pdf"
[[editions]]
language = "ar"
[[editions]]
language = "de"
part = "executive summary"
file = "de.pdf"
"""
WELLS = '[title]\nar = "الآبار"\n[abstract]\nar = "ماء نظيف في القرية. ماء."\n[[editions]]\nlanguage = "ar"\n'
SCHOOL = 'year = {year}\nkind = "guide"\n[title]\nth = "โรงเรียน {number}"\n[[editions]]\nlanguage = "th"\n'
DE = pdf_of(["Der Wald liegt am Fluss, und die Menschen leben seit langer Zeit dort."])
EN = pdf_of(["Contents of this report on the <i>region</i>."], ["The report is about trees. A forest & <em>its</em> people. Nothing more is said."])


@pytest.fixture(scope="module")
def shelf(tmp_path_factory) -> Library:
    """Woods with three editions, wells in Arabic without a file, and 25 schools."""
    corpus, library = tmp_path_factory.mktemp("corpus"), Library.create(tmp_path_factory.mktemp("library"))
    entries = {"woods": WOODS, "wells": WELLS} | {f"school-{number:02}": SCHOOL.format(number=number, year=2000 + number) for number in range(25)}
    for name, entry in entries.items():
        (corpus / name).mkdir()
        (corpus / name / "publication.toml").write_text(entry, "utf-8")
    (corpus / "woods" / "de.pdf").write_bytes(DE)
    (corpus / "woods" / "en.pdf").write_bytes(EN)
    assert ingest(corpus, library, LexiconEncoder(), workers=1).problems == []
    return library


@pytest.fixture
def client(shelf):
    return create_app(shelf, LexiconEncoder()).test_client()


def hits(client, **asked) -> list[str]:
    return [hit["publication_id"] for hit in client.get("/api/v1/search", query_string=asked).json["hits"]]


def test_before_a_question_the_page_shows_the_form_and_the_whole_shelf_newest_first(client):
    page = client.get("/").text
    assert "27 publications in 4 languages" in page
    shown = re.findall(r'href="/publications/([\w-]+)"', page)
    rest = re.findall(r'href="/publications/([\w-]+)"', client.get("/?offset=25").text)
    assert (shown[0], shown[1], len(shown), len(rest), rest[-1]) == ("school-24", "school-23", 25, 2, "wells")
    assert '<input id="q" name="q" type="search" value=""' in page


@pytest.mark.parametrize("query", ["forest", "wald", "bosque", "ป่า", "غابة"])
def test_the_search_page_shows_the_marked_sentence_and_opens_its_page(client, query):
    page = client.get("/", query_string={"q": query, "language": "en"}).text
    inside = re.findall(r"(?:<mark class=\"meaning[^>]*>[^<]*</mark>)+", page)[0]
    assert re.sub("<[^>]*>", "", inside) == "A forest &amp; &lt;em&gt;its&lt;/em&gt; people."
    assert ('<mark class="meaning words">forest</mark>' in inside) == (query == "forest")
    assert re.search(r'href="(/files/woods\.en#page=2|/pages/[0-9a-f]{16}/2\?q=[^"]+)">Open page 2</a>', page)
    assert '<a href="/files/woods.de.executive-summary#page=2"' not in page


def test_the_api_answers_exactly_in_its_form(client):
    found = client.get("/api/v1/search", query_string={"q": "  forest \n water ", "k": 1, "language": "en"}).json
    text = "Contents of this report on the <i>region</i>.\nThe report is about trees. A forest & <em>its</em> people. Nothing more is said."
    (hit,) = found["hits"]
    assert found == {
        "query": "forest water", "close": True, "hits": [hit], "offset": 0, "k": 1, "previous": None, "next": found["next"],
    }  # fmt: skip
    start = text.index("A forest")
    assert hit == {
        "rank": 1, "score": hit["score"], "close": True, "publication_id": "woods", "title": f"{SCRIPT} & Woods", "title_language": "en", "edition_id": "woods.en", "language": "en",
        "page": 2, "page_label": "2", "page_address": f"/pages/{sha256(EN).hexdigest()[:16]}/2", "text": text, "marks": [
            {"start": start, "end": text.index(" Nothing"), "why": "meaning"},
            {"start": start + 2, "end": start + 8, "why": "words"},
        ],
        "editions": [
            {"edition_id": "woods.en", "language": "en", "label": "<b>English</b>", "part": "whole", "file": "/files/woods.en"},
            {"edition_id": "woods.ar", "language": "ar", "label": "", "part": "whole", "file": None},
            {"edition_id": "woods.de.executive-summary", "language": "de", "label": "", "part": "executive summary",
             "file": "/files/woods.de.executive-summary"},
        ],
        "counterpart": None,
    }  # fmt: skip
    assert isinstance(hit["score"], float) and list(hit)[:4] == ["rank", "score", "close", "publication_id"]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"country": "KH"}, {"woods"}), ({"kind": "study"}, {"woods"}), ({"year": ["2003", "2021"]}, {"school-03", "school-21", "woods"}), ({"language": "ar"}, {"wells", "woods"}),
        ({"topic": "water & <i>land</i>"}, {"woods"}), ({"language": "th", "country": "KH"}, set()), ({"year": "1999"}, set()),
    ],
)  # fmt: skip
def test_filters_narrow_the_answer_down(client, asked, found):
    assert set(hits(client, q="forest", k=100, **asked)) == found
    page = client.get("/", query_string={"q": "forest", **asked}).text
    assert ("No publication fits" in page) == (not found) and "checked" in page and "No longer only:" in page


@pytest.mark.parametrize(("query", "found"), [("region", {"woods"}), ("forest region", {"woods"}), ("القرية", {"wells"}), ("เสือ", set())])
def test_exact_words_only_admits_what_holds_all_of_them(client, query, found):
    assert set(hits(client, q=query, exact=1)) == found != set(hits(client, q=query, k=100))
    assert re.search(r'name="exact" value="1" checked', client.get("/", query_string={"q": query, "exact": 1}).text)


def test_paging_through_shows_every_publication_once(client):
    address, seen = "/?q=โรงเรียน", []
    while address:
        page = client.get(address).text
        assert f'start="{len(seen) + 1}"' in page
        seen += re.findall(r'<h2><a href="/publications/([\w-]+)"', page)
        address = html.unescape(next(iter(re.findall(r'rel="next" href="([^"]+)"', page)), ""))
    assert len(seen) == 27 and set(seen) == set(hits(client, q="โรงเรียน", k=100))
    assert hits(client, q="โรงเรียน", offset=10, k=5) == seen[10:15] and 'rel="prev"' in page


def test_a_publication_has_a_page_with_its_titles_and_how_far_each_edition_can_be_searched(client):
    client.set_cookie("speaks", "en")
    page = client.get("/publications/woods", headers={"Accept-Language": "ar"}).text
    assert '<h1 lang="ar" dir="rtl">الغابة</h1>' in page and '<p class="abstract" lang="ar" dir="rtl">بحث عن الأشجار</p>' in page
    assert '<span lang="km" dir="ltr">ព្រៃ</span>' in page and '<a href="/?country=KH">Cambodia</a>' in page and "executive summary" in page
    assert re.findall(r'<span class="[a-z-]+">(yes|no|in part|title and abstract only)<', page) == ["yes", "title and abstract only", "yes"]
    assert '<a href="/files/woods.de.executive-summary" hreflang="de" lang="de" dir="ltr">Deutsch</a>' in page
    assert 'href="https://lantern.example/?a=1&amp;b=2" rel="noreferrer"' in page
    client.delete_cookie("speaks")


def test_the_original_is_delivered_in_parts_or_not_again_as_a_viewer_asks(client):
    path = "/files/woods.de.executive-summary"
    with client.get(path) as whole:
        assert (whole.status_code, whole.mimetype, whole.data) == (200, "application/pdf", DE)
    with client.get(path, headers={"Range": "bytes=0-7"}) as part, client.get(path, headers={"If-None-Match": whole.headers["ETag"]}) as again:
        assert (part.status_code, part.data, again.status_code) == (206, b"%PDF-1.4", 304)


@pytest.mark.parametrize(
    ("path", "code", "says"),
    [
        ("/api/v1/search", 400, "found none"), ("/api/v1/search?q=%20%0A", 400, "Expected words"), ("/api/v1/search?q=" + "น" * 1001, 400, "1000"), ("/?q=" + "x" * 1001, 400, "1001"),
        ("/?q=x&k=0", 400, "between 1 and 100"), ("/?q=x&k=101", 400, "&#39;101&#39;"), ("/?q=x&offset=-1", 400, "between 0 and 10000"),
        ("/api/v1/search?q=x&k=ten", 400, "'ten'"), ("/api/v1/search?q=x&k=٣", 400, "'٣'"), ("/api/v1/search?q=x&offset=10001", 400, "'10001'"),
        ("/api/v1/search?q=x&offset=" + "0" * 9 + "9" * 5000, 400, "nine digits"), ("/api/v1/search?q=x&k=1.5", 400, "'1.5'"),
        ("/publications/ป่า", 404, "ป่า"), ("/files/woods.ar", 404, "woods.ar"), ("/files/nowhere", 404, "nowhere"), ("/files/../library.sqlite", 404, ""),
        ("/nowhere", 404, "Not found"), ("/api/nowhere", 404, "nothing at /api/nowhere"),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_says_why_as_html_or_as_a_problem(client, path, code, says):
    answer = client.get(path)
    assert (answer.status_code, answer.mimetype) == (code, "application/problem+json" if path.startswith("/api/") else "text/html")
    assert says in (answer.json["detail"] if answer.is_json else answer.text)


def test_other_methods_are_refused(client):
    assert (client.post("/api/v1/search").status_code, client.post("/").status_code) == (405, 405)
    assert "GET" in client.post("/").headers["Allow"] and client.post("/languages", data={"back": "x" * 200_000}).status_code == 413


@pytest.mark.parametrize(
    "path", ["/", "/?q=forest", f"/?q={SCRIPT}&topic={SCRIPT}", "/publications/woods", "/publications/<script>", f"/?q=x&k={SCRIPT}"]
)
def test_markup_in_titles_labels_texts_and_questions_is_shown_as_text(client, path):
    page = client.get(path).text
    assert (
        not re.search(r'<script(?! src="/static/isogloss.js" defer></script>| type="application/ld\+json">)|<(b|i|em)\b', page)
        and "&lt;script&gt;" in page
    )


@pytest.mark.parametrize(("attribute", "value"), [("lang", "ar"), ("dir", "rtl")])
def test_a_right_to_left_answer_says_so(client, attribute, value):
    page = client.get("/?q=ماء").text
    assert f'{attribute}="{value}"' in re.search(r"<blockquote[^>]*>[^<]*<mark[^>]*>ماء</mark>", page.replace("الآبار<br>", "")).group()
    assert "from the catalogue" in page and 'lang="ar" dir="rtl">العربية</span>' in page


@pytest.mark.parametrize(
    ("accepted", "title"),
    [("ar-EG,en;q=0.5", "الغابة"), ("km", "ព្រៃ"), ("am, de;q=0.8", "Wälder"), ("*", f"{SCRIPT} & Woods"), ("", f"{SCRIPT} & Woods")],
)
def test_titles_are_in_the_readers_language(client, accepted, title):
    headers = {"Accept-Language": accepted}
    assert client.get("/api/v1/search?q=forest&k=1&language=en", headers=headers).json["hits"][0]["title"] == title
    assert f'">{html.escape(title)}</a></h2>' in client.get("/?q=forest&k=1&language=en", headers=headers).text


@pytest.mark.parametrize(
    "path", ["/", "/?q=forest", "/api/v1/search?q=ป่า", "/api/v1/search", "/nowhere", "/publications/woods", "/static/isogloss.css", "/files/woods.en"]
)
def test_every_answer_loads_nothing_from_elsewhere_and_tells_nobody_where_the_reader_came_from(client, path):
    with client.get(path) as answer:
        headers = answer.headers
    assert (headers["Referrer-Policy"], headers["X-Content-Type-Options"]) == ("no-referrer", "nosniff")
    policy = headers.get("Content-Security-Policy", "")
    assert policy == "" if path.startswith("/files/") else "default-src 'none'" in policy and "unsafe" not in policy and "*" not in policy


@pytest.mark.parametrize(
    ("path", "stored"), [("/?q=forest", "no-store"), ("/api/v1/search?q=forest", "no-store"), ("/?q=x&k=0", "no-store"), ("/", "no-cache")]
)
def test_no_answer_to_a_question_is_kept(client, path, stored):
    assert client.get(path).headers["Cache-Control"] == f"private, {stored}"


@pytest.mark.parametrize(
    ("path", "packed"), [("/", True), ("/static/isogloss.css", True), ("/api/v1/search?q=forest&k=50", True), ("/files/woods.en", False)]
)
def test_text_is_compressed_for_those_who_accept_that(client, path, packed):
    with client.get(path) as plain, client.get(path, headers={"Accept-Encoding": "gzip"}) as answer:
        assert (answer.headers.get("Content-Encoding") == "gzip") == packed and "Content-Encoding" not in plain.headers
        assert (gzip.decompress(answer.data) if packed else answer.data) == plain.data
        if packed:
            assert int(answer.headers["Content-Length"]) == len(answer.data) < len(plain.data) and "Accept-Encoding" in answer.headers["Vary"]


def test_a_compressed_file_is_not_sent_again(client):
    path, accepts = "/static/isogloss.css", {"Accept-Encoding": "gzip"}
    with client.get(path, headers=accepts) as first, client.get(path, headers=accepts | {"If-None-Match": first.headers["ETag"]}) as again:
        assert (again.status_code, again.data) == (304, b"")


def test_no_question_is_logged(client, caplog):
    with caplog.at_level("DEBUG"):
        client.get("/?q=confidential")
        client.get("/api/v1/search?q=confidential&k=0")
    assert "confidential" not in caplog.text


def test_a_running_application_finds_what_is_ingested_meanwhile(library, encoder, publish, tmp_path):
    client = create_app(library, encoder).test_client()
    assert "holds nothing that can be searched yet" in client.get("/?q=forest").text
    publish("woods", {"es": ["El bosque crece junto al agua."]})
    ingest(tmp_path / "corpus", library, encoder, workers=1)
    assert hits(client, q="forest") == ["woods"]


@pytest.mark.parametrize(
    ("text", "spans", "shown"),
    [
        ("ទឹក", [], "ទឹក"), ("ab <c> & d", [(3, 6)], 'ab <mark class="meaning">&lt;c&gt;</mark> &amp; d'), ("水\n林", [(2, 3)], '水<br><mark class="meaning">林</mark>'),
        ("a b c", [(0, 1), (4, 5)], '<mark class="meaning">a</mark> b <mark class="meaning">c</mark>'),
        ("word " * 100 + "x" + " word" * 100, [(500, 501)], "…" + " word" * 44 + ' <mark class="meaning">x</mark>' + " word" * 43 + " …"),
        ("水" * 300 + "林", [(300, 301)], "… " + "水" * 220 + '<mark class="meaning">林</mark>'),
    ],
)  # fmt: skip
def test_the_stretch_around_the_marks_is_shown(text, spans, shown):
    found = marked(text, [{"start": start, "end": end, "why": "meaning"} for start, end in spans])
    assert re.sub(" +", " ", str(found)) == shown


def test_words_within_a_marked_sentence_are_marked_twice():
    marks = [{"start": 0, "end": 9, "why": "meaning"}, {"start": 4, "end": 6, "why": "words"}, {"start": 10, "end": 12, "why": "words"}]
    assert marked("abc <> de fg", marks) == (
        '<mark class="meaning">abc </mark><mark class="meaning words">&lt;&gt;</mark><mark class="meaning"> de</mark> <mark class="words">fg</mark>'
    )


@pytest.mark.parametrize(("least", "narrowed", "said"), [(None, {}, ""), (9, {}, "a name or number"), (9, {"kind": "study"}, "Taking away")])
def test_the_page_says_when_nothing_comes_close(client, monkeypatch, least, narrowed, said):
    searcher = client.application.extensions["searcher"]
    monkeypatch.setattr(generations, "prior_for", lambda *_: LanguagePrior({}, None, close=least))
    generations.build(searcher.library)
    page = client.get("/", query_string={"q": "a quarter of trees", **narrowed}).get_data(as_text=True)
    assert ("Nothing close to" in page) == ("Nothing here comes close" in page) == bool(said)
    assert said in page


@pytest.mark.parametrize(
    ("content", "name", "media_type", "saved_as"),
    [
        (f"<html><p>The forest. {SCRIPT}", "trap.html", "text/html", ".html"), (f"<html><p>The forest. {SCRIPT}", "trap.pdf", "text/html", ".htm"),
        (word_file("<w:p><w:r><w:t>The forest.</w:t></w:r></w:p>"), "trap.docx", WORD.media_type, ".docx"),
        (b"\x89PNG <script>", "trap.html", "application/octet-stream", ".html"),
    ],
)  # fmt: skip
def test_an_original_that_is_no_pdf_is_handed_out_to_be_kept_and_never_shown_as_part_of_the_site(tmp_path, content, name, media_type, saved_as):
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    library = Library.create(tmp_path / "library")
    (state,) = ingest(tmp_path / "corpus", library, LexiconEncoder(), workers=1).editions
    with create_app(library, LexiconEncoder()).test_client().get(f"/files/{state.edition.edition_id}") as answer:
        headers = answer.headers
    assert answer.mimetype == media_type and headers["Content-Disposition"].startswith("attachment; filename=trap.")
    assert headers["Content-Disposition"].endswith(saved_as)
    assert headers["X-Content-Type-Options"] == "nosniff" and headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert headers["Content-Security-Policy"].endswith("; sandbox")  # whatever a browser makes of it, no script runs, and not as this site


def test_no_page_is_heavier_than_100_kilobytes_as_sent(library, encoder):
    draw = random.Random(0)
    tongues = [
        "km",
        "my",
        "th",
        "lo",
        "am",
        "ar",
        "bn",
        "hi",
        "ta",
        "zh",
        "ja",
        "ko",
        "ru",
        "el",
        "fa",
        "ur",
        "vi",
        "ne",
        "si",
        "te",
        "gu",
        "mr",
        "uk",
        "he",
    ]
    letters = "កខគឃងចឆជឈញដឋឌឍណតថទធនបផពភមយរលវសហឡអ"

    def prose(length: int) -> str:
        words = ["".join(draw.choices(letters, k=draw.randint(2, 7))) for _ in range(400)]
        return " ".join(draw.choices(words, k=length // 5))

    for number in range(100):
        many = tongues if number == 0 else tongues[number % 24 :][:6]
        titles, abstracts = {tag: prose(80) for tag in many}, {tag: prose(1500) for tag in many} if number == 0 else {}
        fill(library, encoder, publication(f"work-{number}", many, titles=titles, abstracts=abstracts), {many[0]: [prose(600) for _ in range(2)]})
    client = create_app(library, encoder).test_client()
    for path in ("/", "/?q=ព្រៃ&k=100", "/publications/work-0", "/publications/work-0?q=ព្រៃ"):
        answer = client.get(path, headers={"Accept-Encoding": "gzip"})
        assert answer.status_code == 200 and len(answer.data) < 100_000, path


def test_three_ways_of_having_nothing_are_three_pages_that_help(library, encoder):
    client = create_app(library, encoder).test_client()
    assert "isogloss ingest" in client.get("/").text
    fill(library, encoder, publication("scan", ["fr"], titles={}), {})
    unread = client.get("/?q=forêt").text
    assert "Nothing here could be read" in unread and 'href="/publications/scan"' in unread
    fill(library, encoder, publication("woods", ["th"]), {"th": ["ป่า"]})
    words = client.get("/?q=เสือ&exact=1").text
    assert "Nothing found for" in words and 'href="/?q=%E0%B9%80%E0%B8%AA%E0%B8%B7%E0%B8%AD">Search by meaning' in words
    narrow = client.get("/?q=ป่า&year=1999&language=th").text
    assert (
        "No publication fits" in narrow
        and ">Search all publications</a>" in narrow
        and 'href="/?q=%E0%B8%9B%E0%B9%88%E0%B8%B2&amp;language=th"' in narrow
    )


def test_facets_count_the_publications_that_the_other_facets_admit(client):
    page = client.get("/", query_string={"kind": "guide", "year": ["2003", "2004"]}).text
    counted = {(name, value): int(count) for name, value, count in re.findall(r'name="(\w+)" value="([^"]*)".*?<small>(\d+)</small>', page)}
    assert counted["language", "th"] == 2 and ("language", "ar") not in counted
    assert counted["kind", "guide"] == 2 and ("kind", "study") not in counted
    assert counted["year", "2010"] == 1 and ("year", "2021") in counted and re.search(r'name="year" value="(\d+)"', page)[1] == "2024"
    assert "2 publications in 1 language" in page


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"q": "wald"}, "Found by meaning; none of your words stands here."), ({"q": "forest"}, 'by your words: <q lang="en" dir="auto">forest</q>'),
        ({"q": "forest", "exact": 1}, "Holds all your words."),
    ],
)  # fmt: skip
def test_a_hit_says_why_it_is_there_and_shows_no_score(client, shelf, asked, why):
    generations.build(shelf)  # other tests have said what is close
    page = client.get("/", query_string={**asked, "language": "en"}).text
    assert why in page and not re.search(r"\b0\.\d\d", page)


def test_hits_that_are_probably_no_answer_say_so_one_by_one(client, monkeypatch):
    searcher = client.application.extensions["searcher"]
    for least in (9.0, None):  # the second time between the nearest hit and the farthest
        nearness = [] if least else [found.hit.nearness for found in searcher.search(Query("bosque"), 20)]
        close = least or (max(nearness) + min(nearness)) / 2
        monkeypatch.setattr(generations, "prior_for", lambda *_, close=close: LanguagePrior({}, None, close=close))
        generations.build(searcher.library)
    entries = re.findall(r"<li( class=\"distant\")?>\s*<article>(.*?)</article>", client.get("/?q=bosque&k=20").text, re.DOTALL)
    told = ["Probably not an answer" in entry for _, entry in entries]
    assert told == [bool(distant) for distant, _ in entries] and set(told) == {True, False}


def test_a_publication_is_searched_inside_and_shows_its_outline_and_what_is_related(client):
    inside = client.get("/publications/woods?q=bosque").text
    assert re.search(r"<mark[^>]*>A (<mark[^>]*>)?forest", inside) and "/publications/wells" not in inside and 'id="editions"' not in inside
    assert "Nothing in this publication for" in client.get("/publications/wells?q=bosque").text
    assert client.get("/publications/woods?q=" + "x" * 1001).status_code == 400


def test_a_passage_leads_to_those_like_it_in_other_publications(client, library, encoder):
    for name, language, text in (("woods", "es", "El bosque. Más."), ("trees", "th", "ป่า"), ("wells", "ar", "ماء")):
        fill(library, encoder, publication(name, [language]), {language: [text]})
    other = create_app(library, encoder).test_client()
    page = other.get("/like", query_string={"page": "0000000000000000/1", "quote": "ป่า"})
    assert page.status_code == 200 and page.text.index("/publications/trees") < page.text.index("/publications/woods") < page.text.index(
        "/publications/wells"
    )
    assert page.headers["Cache-Control"] == "private, no-store"
    for wrong in ("", "0000000000000000/9", "ffff/1", "0000000000000000/x", "/1"):
        assert other.get("/like", query_string={"page": wrong}).status_code == 404


def test_an_address_may_name_any_number_of_values_and_the_page_stays_small(client):
    page = client.get("/", query_string={"topic": ["", *(f"topic {number}" for number in range(500))]}).text
    assert page.count("No longer only:") == MOST_CHOSEN and len(page) < 500_000


def test_what_narrows_down_is_that_of_the_library_of_now_and_of_each_language(library, encoder):
    fill(library, encoder, publication("woods", ["th", "ar"], kind="study"), {"th": ["ป่า"], "ar": ["غابة"]})
    client = create_app(library, encoder).test_client()

    def values(language, **asked):
        page = client.get("/", query_string=asked, headers={"Accept-Language": language}).text
        return set(re.findall(r'name="(?:language|kind)" value="(\w+)"', page)), re.search("<legend>(.*?)</legend>", page)[1]

    first = values("en")
    assert first == values("en") == ({"th", "ar", "study"}, "Language") and values("km")[1] not in ("Language", "")
    fill(library, encoder, publication("ព្រៃ", ["km"], kind="guide"), {"km": ["ព្រៃ"]})
    assert values("en")[0] == {"th", "ar", "km", "study", "guide"} and values("en", kind="guide")[0] == {"km", "study", "guide"}
    assert values("en")[0] == {"th", "ar", "km", "study", "guide"}
