from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from conftest import LexiconEncoder
from filling import fill, publication
from flask import Flask, Response
from flask.testing import FlaskClient

from index.accounts import Accounts
from index.library import Library
from index.searcher import Searcher
from search_app import busy
from search_app.busy import CHEAP, Admission, admission
from search_app.factory import create_app
from search_app.interface import LANGUAGES
from search_app.places import NoPlaceError, Places
from search_app.standing import place

COSTLY = ["/", "/?q=ป่า", "/search.csv?q=غابة", "/search.atom?q=ព្រៃ", "/publications/woods", "/like?page=0000000000000000/1", "/pages/0000000000000000/1",
          "/gaps", "/gaps.csv", "/sitemap.xml", "/oai?verb=Identify", "/api/v1/search?q=森林", "/api/v1/facets", "/quality", "/publications/woods.ris"]  # fmt: skip
FREE = ["/health", "/static/isogloss.css", "/robots.txt", "/opensearch.xml", "/nowhere", "/desk/sign-in", "/api/", "/files/nothing"]


@pytest.fixture
def app(library: Library) -> Flask:
    fill(library, LexiconEncoder(), publication("woods", ["th", "ar"]), {"th": ["ป่า น้ำ"], "ar": ["غابة قديمة"]})
    fill(library, LexiconEncoder(), publication("ព្រៃ", ["km"]), {"km": ["ព្រៃ"]})
    Accounts(library).put("ana", "a long enough password")
    app = create_app(library, LexiconEncoder())
    app.extensions["admission"] = Admission(Places(4, 0, 0), Places(2, 0, 0))
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def taken(app: Flask) -> Iterator[None]:
    """All places are taken, and the library cannot be looked at."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Searcher, "state", lambda _: pytest.fail("the library was looked at"))
        tickets = [admission(app).computing.enter() for _ in range(4)]
        yield
        for ticket in tickets:
            admission(app).computing.leave(ticket)


def free(app: Flask) -> int:
    """How many places are free."""
    tickets = []
    try:
        while True:
            tickets.append(admission(app).computing.enter())
    except NoPlaceError:
        return len(tickets)
    finally:
        for ticket in tickets:
            admission(app).computing.leave(ticket)


def test_what_is_costly_is_asked_to_come_again_while_all_places_are_taken(client, taken):
    for address in COSTLY:
        answer = client.get(address)
        assert (answer.status_code, answer.headers.get("Retry-After")) == (503, "2"), address


def test_what_is_cheap_is_answered_while_all_places_are_taken(app, client):
    tickets = [admission(app).computing.enter() for _ in range(4)]
    for address in FREE:
        with client.get(address) as answer:
            assert len(tickets) == 4 and answer.status_code in (200, 404), address


def test_health_says_so_without_a_look_at_the_library(client, taken):
    answer = client.get("/health")
    assert (answer.status_code, answer.text, answer.headers["Cache-Control"]) == (200, "ok\n", "no-store")


def test_whatever_is_called_cheap_is_there(app):
    assert set(app.view_functions) >= CHEAP


def test_the_page_speaks_the_readers_language_and_leads_to_the_same_question(client, taken):
    for language in LANGUAGES:
        answer = client.get("/?q=ป่า+%22%3E%3Cb%3E&k=7", headers={"Accept-Language": language})
        direction = "rtl" if language in ("ar", "fa") else "ltr"
        assert f'<html lang="{language}" dir="{direction}">' in answer.text and answer.mimetype == "text/html"
        assert re.findall('href="(/[^"]*)"', answer.text.split("<main")[1]) == ["/?q=ป่า+%22%3E%3Cb%3E&amp;k=7"]
        assert answer.headers["Cache-Control"] == "private, no-store" and "<b>" not in answer.text


def test_the_heading_is_in_that_language(client, taken):
    wanted = {"ar": "غير متاح الآن", "th": "ขณะนี้ยังทำไม่ได้", "km": "មិនអាចធ្វើបានឥឡូវនេះទេ", "en": "Not now"}
    said = {language: client.get("/?q=x", headers={"Accept-Language": language}).text for language in wanted}
    assert {language: re.search("<h1>(.*)</h1>", page)[1] for language, page in said.items()} == wanted


def test_the_page_that_is_kept_holds_nobodys_question(client, taken):
    first, second = client.get("/?q=ប្រាក់"), client.get("/?q=غابة")
    assert "q=ប្រាក់" in first.text and "q=ប្រាក់" not in second.text and "q=غابة" in second.text


def test_the_api_answers_with_problem_details(client, taken):
    answer = client.get("/api/v1/search?q=ป่า", headers={"Accept-Language": "th"})
    assert answer.mimetype == "application/problem+json" and answer.headers["Retry-After"] == "2"
    assert answer.json["status"] == 503 and answer.json["type"] == "about:blank" and answer.json["detail"]


def test_programs_are_told_in_plain_text(client, taken):
    for address in ("/search.atom?q=ป่า", "/oai?verb=ListRecords&metadataPrefix=oai_dc", "/sitemap.xml"):
        answer = client.get(address)
        assert answer.mimetype == "text/plain" and answer.text.count("\n") == 1


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST"])
def test_no_answer_keeps_a_place(app, client, method):
    for address in [*COSTLY, *FREE]:
        client.open(address, method=method).close()
        assert free(app) == 4, address


def test_no_fault_keeps_a_place(app, client, monkeypatch):
    app.config["PROPAGATE_EXCEPTIONS"] = False
    monkeypatch.setattr(Searcher, "view", lambda _: 1 / 0)
    assert client.get("/").status_code == 500
    assert free(app) == 4


def test_an_answer_that_is_made_while_it_is_sent_keeps_its_place_until_it_is_closed(app, client):
    app.add_url_rule("/stream", "stream", lambda: Response(iter([b"a", b"b"]), mimetype="application/octet-stream"))
    answer = client.get("/stream")
    assert free(app) == 3
    answer.close()
    assert free(app) == 4


@pytest.mark.parametrize(
    ("address", "left"),
    [("/?q=ป่า", 3), ("/?q=ป่า&k=20", 3), ("/?q=ป่า&k=100", 2), ("/api/v1/search?q=x&k=50", 2), ("/search.csv?q=غابة", 2), ("/search.csv?q=غابة&k=10", 3),
     ("/api/v1/search?q=x&exhaustive=true", 2), ("/search.atom?q=x", 2), ("/?q=ป่า&k=many", 3), ("/?q=ป่า&k=²", 3)],
)  # fmt: skip
def test_a_request_for_many_hits_takes_two_places(app, client, monkeypatch, address, left):
    seen = []
    monkeypatch.setattr(Searcher, "state", lambda _, real=Searcher.state: (seen.append(free(app)), real(_))[1])
    client.get(address)
    assert set(seen) <= {left} and (seen or "k=many" in address or "²" in address)


def test_tables_and_feeds_leave_half_of_the_places_to_others(app, client):
    ticket = admission(app).computing.enter(2, busy.ALL_LARGE)
    asked = {address: client.get(address).status_code for address in ("/search.csv?q=غابة", "/search.atom?q=ป่า", "/?q=ป่า&k=100", "/?q=ป่า")}
    assert list(asked.values()) == [503, 503, 503, 200] and ticket.weight == 2


@pytest.mark.parametrize(
    ("peer", "proxies", "one"),
    [("8.8.8.8", 0, True), ("2a00:1450::7", 0, True), ("127.0.0.1", 0, False), ("10.1.2.3", 0, False), ("::1", 0, False), ("fd00::1", 0, False), ("", 0, False),
     ("::ffff:10.1.2.3", 0, False), ("10.1.2.3", 1, True), ("127.0.0.1", 1, False)],
)  # fmt: skip
def test_half_of_the_places_are_for_others_where_an_address_tells_readers_apart(app, peer, proxies, one):
    place(app, "", proxies, "127.0.0.1")
    with app.test_request_context("/", environ_base={"REMOTE_ADDR": peer}):
        assert (busy._reader() is not None) == one


def test_all_of_an_ipv6_network_is_one_reader(app):
    readers = set()
    for peer in ("2a00:1450::7", "2a00:1450::ffff:8", "2a00:1450:1::7"):
        with app.test_request_context("/", environ_base={"REMOTE_ADDR": peer}):
            readers.add(busy._reader())
    assert len(readers) == 2


def test_one_reader_cannot_shut_others_out(app, client):
    place(app, "", 1, "127.0.0.1")
    with app.test_request_context("/", environ_base={"REMOTE_ADDR": "8.8.8.8"}):
        mine = [admission(app).computing.enter(1, busy._reader()) for _ in range(2)]
    asked = {sent_by: client.get("/?q=ป่า", headers={"X-Forwarded-For": sent_by}).status_code for sent_by in ("8.8.8.8", "1.1.1.1")}
    assert asked == {"8.8.8.8": 503, "1.1.1.1": 200} and len(mine) == 2


def test_a_page_gives_its_place_to_others_before_it_waits_for_its_picture(app, client, monkeypatch):
    seen = []
    monkeypatch.setattr("search_app.pages._picture", lambda *asked: (seen.append((free(app), asked[-1] > 0)), (None, ""))[1])
    assert client.get("/pages/0000000000000000/1").status_code == 200
    tickets = [admission(app).pictures.enter() for _ in range(2)]
    assert client.get("/pages/0000000000000000/1").status_code == 200
    assert seen == [(4, True), (4, False)] and len(tickets) == 2 and free(app) == 4


def test_pictures_have_places_of_their_own(app, client, taken, monkeypatch):
    monkeypatch.setattr("search_app.pages.edition_at", lambda _: None)
    assert client.get("/pages/0000000000000000/1.webp").status_code == 404
    tickets = [admission(app).pictures.enter() for _ in range(2)]
    answer = client.get("/pages/0000000000000000/1.webp")
    assert (answer.status_code, answer.mimetype, len(tickets)) == (503, "text/plain", 2)


@pytest.mark.parametrize("places", [1, 4, 64])
def test_there_are_threads_for_all_places_for_both_lines_and_more(places):
    whole = Admission.of(places)
    assert whole.threads >= whole.computing.count + whole.computing.line + whole.pictures.count + whole.pictures.line + 4
