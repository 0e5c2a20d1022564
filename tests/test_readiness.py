"""Whether questions can be answered, and what is said while they cannot."""

from __future__ import annotations

import sqlite3

import pytest
from conftest import LexiconEncoder
from filling import fill, publication

from index.library import Library
from index.store import BusyLibraryError, DamagedLibraryError, StoreUnreachableError, UnknownOutcomeError
from search_app import readiness
from search_app.factory import create_app
from search_app.interface import LANGUAGES
from search_app.readiness import Readiness


@pytest.fixture
def app(library):
    fill(library, LexiconEncoder(), publication("woods", ["th", "ar"]), {"th": ["ป่า"], "ar": ["غابة"]})
    return create_app(library, LexiconEncoder())


@pytest.fixture
def client(app):
    return app.test_client()


@pytest.fixture(params=[BusyLibraryError, DamagedLibraryError, StoreUnreachableError])
def error(request):
    return request.param


@pytest.fixture
def silent(app, library, error):
    """The library does not answer, until this is called."""
    with pytest.MonkeyPatch.context() as patched:

        def fail(*_):
            raise error("the disk hums")

        patched.setattr(type(library.store), "connection", fail)
        yield patched.undo


def test_a_process_that_can_answer_is_ready(client):
    answer = client.get("/ready")
    assert (answer.status_code, answer.text, answer.mimetype, answer.headers["Cache-Control"]) == (200, "ready\n", "text/plain", "no-store")


def test_it_is_not_while_the_library_does_not_answer_and_is_again_afterwards(client, silent, error, monkeypatch, caplog):
    monkeypatch.setattr(readiness, "FRESH", 0)
    answer = client.get("/ready")
    assert (answer.status_code, answer.text) == (503, f"The library does not answer: {error.__name__}.\n")
    assert client.get("/health").status_code == 200
    silent()
    assert client.get("/ready").status_code == 200
    assert caplog.messages == [f"The library does not answer: {error.__name__}.", "The library answers again."]


def test_whatever_a_store_raises_is_a_reason(app, client, monkeypatch):
    monkeypatch.setattr(Library, "revision", lambda _: (_ for _ in ()).throw(sqlite3.OperationalError("of a path: /srv/ป่า")))
    assert client.get("/ready").text == "The library does not answer: OperationalError.\n"


def test_a_folder_that_is_gone_is_noticed_though_its_file_is_still_open(client, library, monkeypatch):
    library.folder.rename(library.folder.with_name("elsewhere"))
    answer = client.get("/ready")
    assert (answer.status_code, answer.text) == (503, "The folder of the library is not there.\n")


def test_the_library_is_looked_at_once_however_many_ask(app, monkeypatch):
    looked = []
    monkeypatch.setattr(Readiness, "_look", lambda self: (looked.append(1), "")[1])
    ready = Readiness(app.extensions["searcher"])
    assert [ready.problem() for _ in range(5)] == [""] * 5 and len(looked) == 1


def test_who_asks_while_another_looks_is_told_what_was_found_before(app, monkeypatch):
    ready, told = Readiness(app.extensions["searcher"]), []
    monkeypatch.setattr(Readiness, "_look", lambda self: (told.append(ready.problem()), "The disk hums.")[1])
    assert ready.problem() == "The disk hums." and told == [""]


def test_who_asks_while_another_has_looked_for_long_is_told_that_it_is_waited_for(app, monkeypatch):
    ready, told = Readiness(app.extensions["searcher"]), []
    monkeypatch.setattr(readiness, "PATIENCE", 0)
    monkeypatch.setattr(Readiness, "_look", lambda self: (told.append(ready.problem()), "")[1])
    assert ready.problem() == "" and told == ["The library does not answer: it is waited for."]


def test_a_page_says_in_the_readers_language_that_the_library_does_not_answer(client, silent):
    for language in LANGUAGES:
        answer = client.get("/?q=ป่า+%3Cb%3E", headers={"Accept-Language": language})
        assert (answer.status_code, answer.mimetype, answer.headers["Retry-After"]) == (503, "text/html", "30"), language
        assert f'<html lang="{language}"' in answer.text and 'href="/?q=ป่า+' in answer.text
        assert "hums" not in answer.text and "<b>" not in answer.text and "Traceback" not in answer.text


@pytest.mark.parametrize("address", ["/publications/woods", "/pages/0000000000000000/1", "/gaps", "/like?page=0000000000000000/1"])
def test_every_page_that_needs_the_library_says_so(client, silent, address):
    assert client.get(address).status_code == 503


def test_who_is_signed_in_is_told_so_at_the_desk_and_is_still_signed_in_afterwards(analyst, silent):
    assert analyst.get("/desk").status_code == 503
    silent()
    assert analyst.get("/desk").status_code == 200


def test_programs_are_told_so_in_their_own_ways(client, silent):
    api, feed = client.get("/api/v1/search?q=ป่า"), client.get("/search.atom?q=غابة")
    assert (api.status_code, api.mimetype, api.headers["Retry-After"]) == (503, "application/problem+json", "30")
    assert api.json["detail"] and "hums" not in api.text
    assert (feed.status_code, feed.mimetype, feed.headers["Retry-After"]) == (503, "text/plain", "30")


def test_who_sent_something_when_the_library_was_lost_is_told_to_look_before_sending_it_again(analyst, library, monkeypatch):
    def fail(*_):
        raise UnknownOutcomeError("the line broke")

    monkeypatch.setattr(type(library.store), "connection", fail)
    answer = analyst.post("/desk/sign-out")
    assert answer.status_code == 503 and "look before you send it again" in answer.text


def test_answers_come_again_by_themselves_once_the_library_does(client, silent):
    assert client.get("/api/v1/search?q=ป่า").status_code == 503
    silent()
    found = client.get("/api/v1/search?q=ป่า")
    assert found.status_code == 200 and found.json["hits"][0]["publication_id"] == "woods"


def test_what_needs_no_library_is_served_meanwhile(client, silent):
    for address in ("/static/isogloss.css", "/robots.txt", "/health"):
        with client.get(address) as answer:
            assert answer.status_code == 200, address
