from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from filling import fill, publication

from search_app import languages
from search_app.factory import create_app


@pytest.fixture
def client(library, encoder):
    work = publication("woods", ["ar", "km", "th"], titles={"ar": "الغابة", "km": "ព្រៃ", "th": "ป่า"})
    fill(library, encoder, work, {})
    return create_app(library, encoder).test_client()


def title(client, **headers) -> str:
    return client.get("/api/v1/search?q=forest", headers=headers).json["hits"][0]["title"]


def test_the_languages_chosen_once_are_remembered_in_the_browser_and_come_before_what_it_states(client):
    assert title(client, **{"Accept-Language": "ar"}) == "الغابة"
    answer = client.post("/languages", data={"reads": ["km", "", "th", ""], "back": "/?q=ป่า"})
    assert (answer.status_code, unquote(answer.headers["Location"])) == (303, "/?q=ป่า")
    cookie = answer.headers["Set-Cookie"]
    assert all(said in cookie for said in ("reads=", "Max-Age=31536000", "SameSite=Lax", "HttpOnly", "Path=/")) and "Secure" not in cookie
    assert title(client, **{"Accept-Language": "ar"}) == "ព្រៃ"
    page = client.get("/languages").text
    assert re.findall(r'<option value="(\w+)"[^>]* selected>', page)[:2] == ["km", "th"] and "Forget" in page
    client.post("/languages", data={"forget": "1"})
    assert title(client, **{"Accept-Language": "ar"}) == "الغابة"


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("th", ["th"]),
        ("pt-br.<b>", ["pt-BR"]),
        ("", []),
        ("TH.km..th", ["th", "km"]),
        ("x" * 5000, []),
        ("zh-hant-tw", ["zh-Hant-TW"]),
        (".".join(["ar", "am"] * 50), ["ar", "am"]),
    ],
)
def test_a_cookie_holds_language_tags_only(client, sent, read):
    with client.application.test_request_context("/", headers={"Cookie": f"reads={sent}"}):
        assert languages.of_reader() == read


def test_what_a_browser_states_is_read_as_tags_and_within_a_bound(client):
    stated = ", ".join(["*", "pt-br", "<b>", *(f"de-x-{number}" for number in range(100))])
    with client.application.test_request_context("/", headers={"Accept-Language": stated}):
        assert languages.of_reader()[:2] == ["pt-BR", "de-x-0"] and len(languages.of_reader()) == languages.MOST_READ


@pytest.mark.parametrize("back", ["//lantern.example/", "https://lantern.example/", "/\\lantern.example", "", "javascript:x", "/\n/x"])
def test_the_way_back_never_leaves_the_site(client, back):
    assert client.post("/languages", data={"reads": "th", "back": back}).headers["Location"] == "/"


def test_the_language_of_the_pages_is_chosen_by_hand_among_those_they_speak(client):
    assert '<html lang="en" dir="ltr">' in client.get("/").text
    client.post("/languages", data={"interface": "ar"})
    assert '<html lang="ar" dir="rtl">' in client.get("/", headers={"Accept-Language": "en"}).text
    client.post("/languages", data={"interface": "tlh"})
    assert '<html lang="en" dir="ltr">' in client.get("/").text


def test_the_page_to_choose_shows_every_language_of_the_library_by_its_own_name_and_is_not_kept(client):
    page = client.get("/languages?back=/?q=secret")
    assert all(f'lang="{tag}" dir="{direction}"' in page.text for tag, direction in (("ar", "rtl"), ("km", "ltr"), ("th", "ltr")))
    assert "ខ្មែរ" in page.text and page.headers["Cache-Control"] == "private, no-store"
