from __future__ import annotations

import time
from xml.etree import ElementTree

import feedparser
import pytest
from filling import fill, publication

from index.library import Library
from search_app import feeds
from search_app.factory import create_app

ATOM = "{http://www.w3.org/2005/Atom}"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"
WORKS = {  # id -> (when it came, its texts by language), the oldest first
    "woods": ("2026-01-01T08:00:00Z", {"de": ["Der Wald wächst."], "th": ["ป่า เติบโต <b> & \x0b"]}),
    "wells": ("2026-02-01T08:00:00Z", {"ar": ["ماء نظيف في القرية"]}),
    "grove": ("2026-03-01T08:00:00Z", {"ar": ["غابة كبيرة"], "en": ["A forest & its people"]}),
    "stop": ("2026-04-01T08:00:00Z", {"km": ["រថយន្ត bus"]}),
}


@pytest.fixture
def shelf(library, encoder) -> Library:
    for name, (added, texts) in WORKS.items():
        fill(library, encoder, publication(name, list(texts), topics=("land & water",), authors=("សុខា", "عمر")), texts)
        came(library, name, added)
    return library


def came(library: Library, name: str, added: str) -> None:
    with library.transaction() as run:
        run("UPDATE publications SET added = ?1, changed = ?1 WHERE publication_id = ?2", (added, name))


@pytest.fixture
def client(shelf, encoder):
    return create_app(shelf, encoder).test_client()


@pytest.fixture
def only_alike(monkeypatch):
    """What shares no concept with the question is not close, as an encoder that was measured would say."""
    monkeypatch.setattr("index.closeness.Closeness.may_answer", lambda self, nearness, coverage: nearness > 1.2)


def read(client, headers=None, **asked):
    answer = client.get("/search.atom", query_string=asked, headers=headers)
    assert (answer.status_code, answer.mimetype) == (200, "application/atom+xml")
    feed = feedparser.parse(answer.data)
    assert not feed.bozo
    return feed


def names(feed) -> list[str]:
    return [entry.id.rsplit("/", 1)[1] for entry in feed.entries]


@pytest.mark.parametrize("question", ["forest", "wald", "ป่า", "غابة"])
def test_a_feed_holds_what_answers_in_any_language_the_newest_first(client, only_alike, question):
    assert names(read(client, q=question)) == ["grove", "woods"]


def test_nothing_that_is_only_the_nearest_comes_into_a_feed(client, monkeypatch):
    monkeypatch.setattr("index.closeness.Closeness.may_answer", lambda self, nearness, coverage: False)
    feed = read(client, q="forest")
    assert feed.entries == [] and feed.feed.updated == feeds.BEGINNING


def test_a_new_publication_that_answers_comes_first_however_many_older_ones_answer_better(client, shelf, encoder, monkeypatch):
    monkeypatch.setattr(feeds, "NEWEST", 2)
    fill(shelf, encoder, publication("sapling", ["fa"]), {"fa": ["درخت bosque water school"]})
    came(shelf, "sapling", "2026-05-01T08:00:00Z")
    assert names(read(client, q="forest"))[0] == "sapling"
    assert set(names(read(client, q="forest"))) == {"sapling", "stop"}


def test_hits_are_looked_at_step_by_step_until_none_is_close(client, shelf, only_alike, monkeypatch):
    monkeypatch.setattr(feeds, "STEP", 1)
    searcher, steps = client.application.extensions["searcher"], []
    search = searcher.search
    monkeypatch.setattr(searcher, "search", lambda query, k, offset: steps.append(offset) or search(query, k, offset))
    assert names(read(client, q="forest")) == ["grove", "woods"] and steps == [0, 1, 2]


@pytest.mark.parametrize(
    ("asked", "found"), [({}, ["stop", "grove", "wells", "woods"]), ({"language": "ar"}, ["grove", "wells"]), ({"language": "lo"}, [])]
)
def test_without_a_question_a_feed_holds_the_newest_that_fit(client, asked, found, encoder):
    encoded = list(encoder.encoded)
    assert names(read(client, **asked)) == found and encoder.encoded == encoded


def test_a_feed_is_bounded(client, monkeypatch):
    monkeypatch.setattr(feeds, "ENTRIES", 2)
    assert names(read(client)) == ["stop", "grove"] and len(read(client, q="forest").entries) == 2


def test_an_entry_shows_the_answering_passage_with_its_marks_in_its_language(client, only_alike):
    newest, oldest = read(client, q="غابة").entries
    assert (newest.published, newest.updated) == ("2026-03-01T08:00:00Z",) * 2
    assert 'dir="rtl" lang="ar"' in newest.content[0].value and "<strong>غابة</strong>" in newest.content[0].value
    assert newest.content[0].language == "ar" and newest.content[0].type == "text/html"
    assert [author.name for author in newest.authors] == ["សុខា", "عمر"] and newest.tags[0].term == "land & water"
    assert ("related", "http://localhost/files/grove.ar") in {(link.rel, link.href) for link in newest.links}
    assert f"http://localhost/pages/{'0' * 16}/1?q=%D8%BA%D8%A7%D8%A8%D8%A9" in newest.content[0].value
    assert "woods" in oldest.link


def test_markup_and_characters_that_xml_cannot_hold_do_no_harm(client, only_alike):
    root = ElementTree.fromstring(client.get("/search.atom", query_string={"q": "ป่า \x0b<script>", "language": "th"}).data)
    content = root.find(f"{ATOM}entry/{ATOM}content")
    assert "&lt;b&gt; &amp;" in content.text and "\x0b" not in content.text and content.get("type") == "html"
    assert root.find(f"{ATOM}title").text == "Isogloss: ป่า <script>"


def test_a_feed_has_what_the_format_asks_for(client):
    root = ElementTree.fromstring(client.get("/search.atom?q=forest&language=th&language=ar").data)
    for element in [root, *root.findall(f"{ATOM}entry")]:
        assert [len(element.findall(ATOM + tag)) for tag in ("id", "title", "updated")] == [1, 1, 1]
        assert all(len(element.findall(f"{ATOM}link[@rel='{rel}']")) <= 1 for rel in ("self", "alternate"))
    assert root.find(f"{ATOM}author/{ATOM}name").text and root.get(LANG) == "en"
    assert root.find(f"{ATOM}link[@rel='self']").get("href") == root.find(f"{ATOM}id").text
    assert root.find(f"{ATOM}updated").text == max(element.text for element in root.iterfind(f"{ATOM}entry/{ATOM}updated"))


def test_one_question_has_one_feed_whatever_the_order_of_its_parameters(client):
    ids = {
        read(client, **asked).feed.id
        for asked in ({"q": " forest", "language": ["th", "ar"], "k": 5}, {"language": ["ar", "th", ""], "q": "forest  "})
    }
    assert ids == {"http://localhost/search.atom?q=forest&language=ar&language=th"}


def test_the_languages_of_who_follows_stand_in_the_address(client):
    page = client.get("/?q=forest", headers={"Accept-Language": "km,th;q=0.5"}).text
    assert '<link rel="alternate" type="application/atom+xml"' in page and 'href="/search.atom?q=forest&amp;readers=km&amp;readers=th"' in page
    assert read(client, q="forest", language=["de", "th"], readers="th").entries[0].title == "woods (th)"
    assert 'href="/search.atom"' in client.get("/").text


def test_asking_again_costs_nothing_while_the_library_is_as_it_was(client, shelf, encoder, monkeypatch):
    first = client.get("/search.atom?q=forest")
    searcher = client.application.extensions["searcher"]
    asked = []
    monkeypatch.setattr(searcher.encoder, "encode_queries", lambda texts: asked.append(texts))
    for known in ({"If-None-Match": first.headers["ETag"]}, {"If-Modified-Since": first.headers["Last-Modified"]}):
        again = client.get("/search.atom?q=forest", headers=known)
        assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    assert asked == [] and first.headers["Last-Modified"] == "Wed, 01 Apr 2026 08:00:00 GMT"
    monkeypatch.undo()
    time.sleep(0.01)
    fill(shelf, encoder, publication("new", ["zh"]), {"zh": ["森林 forest"]})
    again = client.get("/search.atom?q=forest", headers={"If-None-Match": first.headers["ETag"], "If-Modified-Since": first.headers["Last-Modified"]})
    assert again.status_code == 200 and names(feedparser.parse(again.data))[0] == "new"


def test_a_feed_may_be_kept_by_who_follows_it_alone(client):
    headers = client.get("/search.atom?q=forest").headers
    assert headers["Cache-Control"] == "private, no-cache" and set(headers["Vary"].split(", ")) >= {"Accept-Language", "Cookie"}


def test_too_long_a_question_is_refused_as_on_the_page(client):
    answer = client.get("/search.atom", query_string={"q": "น" * 1001})
    assert (answer.status_code, answer.mimetype) == (400, "text/html") and "1000" in answer.text


def test_an_empty_library_has_a_feed(library, encoder):
    library.set_meta("encoder", encoder.fingerprint)
    client = create_app(library, encoder).test_client()
    assert read(client).entries == [] and read(client, q="forest").entries == []


def test_a_browser_learns_how_to_search_here(client):
    answer = client.get("/opensearch.xml")
    root = ElementTree.fromstring(answer.data)
    space = "{http://a9.com/-/spec/opensearch/1.1/}"
    assert answer.mimetype == "application/opensearchdescription+xml" and len(root.find(space + "ShortName").text) <= 16
    templates = {url.get("type"): url.get("template") for url in root.findall(space + "Url")}
    for media_type in ("text/html", "application/atom+xml", "application/json"):
        with client.get(templates[media_type].replace("{searchTerms}", "%E0%B8%9B%E0%B9%88%E0%B8%B2")) as found:
            assert (found.status_code, found.mimetype) == (200, media_type)
    assert '<link rel="search" type="application/opensearchdescription+xml" title="Isogloss" href="/opensearch.xml">' in client.get("/").text
