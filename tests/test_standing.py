from __future__ import annotations

import re
from html import unescape
from urllib.parse import urljoin, urlsplit

import pytest
from conftest import LexiconEncoder
from filling import fill, publication
from flask import Flask, request
from test_signing import cookies, sign_in

from index.accounts import Accounts
from index.library import Library
from search_app.factory import create_app
from search_app.standing import PublicAddress, WrongAddressError, parsed, place, within

PUBLIC = "https://library.example/isogloss"
BY_PROXY = {"X-Forwarded-For": "198.51.100.4", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "library.example"}
ABSOLUTE = ["/search.atom", "/sitemap.xml", "/robots.txt", "/oai?verb=Identify", "/opensearch.xml", "/publications/woods", "/publications/woods.ris",
            "/publications/woods.csl.json", "/pages/0000000000000000/1", "/pages/0000000000000000/1.bib"]  # fmt: skip


@pytest.fixture
def app(library: Library) -> Flask:
    fill(library, LexiconEncoder(), publication("woods", ["th", "ar"]), {"th": ["ป่า น้ำ"], "ar": ["غابة قديمة"]})
    fill(library, LexiconEncoder(), publication("ព្រៃ", ["km"]), {"km": ["ព្រៃ"]})
    Accounts(library).put("ana", "a long enough password")
    return create_app(library, LexiconEncoder())


@pytest.mark.parametrize(
    ("address", "taken_apart"),
    [("https://library.example", ("https", "library.example", "")), ("https://Library.Example:8443/a/isogloss/", ("https", "library.example:8443", "/a/isogloss")),
     ("http://[2001:db8::1]:80/", ("http", "[2001:db8::1]:80", "")), ("https://xn--bcher-kva.example/x", ("https", "xn--bcher-kva.example", "/x"))],
)  # fmt: skip
def test_a_public_address_is_taken_apart(address, taken_apart):
    assert parsed(address) == PublicAddress(*taken_apart)


@pytest.mark.parametrize("address", ["library.example", "ftp://a", "https://", "https://user@a/", "https://a/?q=x", "https://a/#x", "https://a/b c", "https://a/../b", "https://a:x/",
                                     "https://a//b", "https://a:99999/", "https://[x/", "https://a\n/"])  # fmt: skip
def test_what_is_no_public_address_is_refused(address, app):
    with pytest.raises(WrongAddressError, match="expected an address"):
        place(app, address, 1, "127.0.0.1")


def test_an_https_address_needs_a_proxy(app):
    with pytest.raises(WrongAddressError, match="--behind-proxy"):
        place(app, PUBLIC, 0, "127.0.0.1")


@pytest.mark.parametrize("path", ABSOLUTE)
@pytest.mark.parametrize("host", ["library.example", "evil.example", "127.0.0.1:8000", "evil.example/@x"])
def test_every_absolute_address_is_the_public_one_whatever_host_is_asked(app, path, host):
    place(app, PUBLIC, 1, "127.0.0.1")
    for handed_on in (path, f"/isogloss{path}"):
        answer = app.test_client().get(handed_on, headers=BY_PROXY | {"Host": host, "X-Forwarded-Host": host})
        said = unescape(answer.text)
        assert answer.status_code == 200 and "https://library.example/isogloss/" in said
        assert "evil.example" not in said and "127.0.0.1" not in said and "localhost" not in said


def links(text):
    return {unescape(link) for link in re.findall(r'(?:href|src|action)="([^"#]+)', text)} | {
        unescape(one.split()[0]) for said in re.findall(r'srcset="([^"]+)"', text) for one in said.split(",")
    }


def test_below_a_prefix_every_link_on_every_page_leads_to_a_page_below_it(app):
    place(app, PUBLIC, 1, "127.0.0.1")
    client = app.test_client()
    to_see, seen = ["/isogloss/", "/isogloss/?q=ป่า", "/isogloss/desk", "/isogloss/nowhere", "/isogloss/publications/woods?q=غابة"], set()
    while to_see:
        address = to_see.pop()
        with client.get(address, headers=BY_PROXY, follow_redirects=True) as answer:
            assert answer.status_code < 400 or address.startswith(("/isogloss/files/", "/isogloss/nowhere")) or ".webp" in address, address
            for link in links(answer.text) if "html" in answer.mimetype else ():
                found = urlsplit(urljoin(f"https://library.example{address}", link))
                assert found.netloc == "library.example" and found.path.startswith("/isogloss/"), (address, link)
                if found.path not in seen:
                    seen.add(found.path)
                    to_see.append(f"{found.path}?{found.query}")
    assert {
        "/isogloss/publications/woods",
        "/isogloss/pages/0000000000000000/1",
        "/isogloss/desk",
        "/isogloss/static/isogloss.css",
        "/isogloss/languages",
        "/isogloss/like",
    } <= seen


def test_answers_of_the_api_link_below_the_prefix(app):
    place(app, PUBLIC, 1, "127.0.0.1")
    client = app.test_client()
    (hit,) = client.get("/api/v1/search?q=ป่า&k=1&language=th", headers=BY_PROXY).json["hits"]
    assert (hit["page_address"], hit["editions"][0]["file"]) == ("/isogloss/pages/0000000000000000/1", "/isogloss/files/woods.th")
    listed = client.get("/api/v1/publications?k=1", headers=BY_PROXY)
    assert listed.json["next"].startswith("/isogloss/api/v1/publications?") and "</isogloss/api/" in listed.headers["Link"]
    assert client.get("/api/v1/openapi.json", headers=BY_PROXY).json["servers"] == [{"url": "/isogloss"}]
    assert client.get("/robots.txt", headers=BY_PROXY).text.count("allow: /isogloss/") == 8


def test_cookies_hold_for_the_prefix_and_over_https_only(app):
    place(app, PUBLIC, 1, "127.0.0.1")
    client = app.test_client()
    answer = client.post("/isogloss/languages", data={"interface": "ar", "back": "/isogloss/publications/woods"}, headers=BY_PROXY)
    assert answer.headers["Location"] == "/isogloss/publications/woods" and {"Path=/isogloss", "Secure"} <= set(cookies(answer)["speaks"].split("; "))
    assert client.post("/isogloss/languages", data={"back": "/elsewhere"}, headers=BY_PROXY).headers["Location"] == "/isogloss/"
    answer = sign_in(client, password="a long enough password", headers=BY_PROXY, base_url=PUBLIC)
    assert answer.status_code == 303 and answer.headers["Location"] == "/isogloss/desk"
    assert all({"Path=/isogloss/desk", "Secure", "HttpOnly"} <= set(line.split("; ")) for line in cookies(answer).values())
    assert client.get("/desk", headers=BY_PROXY, base_url=PUBLIC).status_code == 200


def test_a_password_that_came_over_http_is_refused_though_the_public_address_has_https(app):
    place(app, PUBLIC, 1, "127.0.0.1")
    assert app.test_client().get("/desk/sign-in", headers=BY_PROXY).status_code == 200
    for headers in (BY_PROXY | {"X-Forwarded-Proto": "http"}, {}):
        assert app.test_client().get("/desk/sign-in", headers=headers).status_code == 403


@pytest.mark.parametrize(("proxies", "address"), [(0, "127.0.0.1"), (1, "198.51.100.4"), (2, "203.0.113.9")])
def test_so_many_proxies_are_believed_and_no_more(app, proxies, address):
    place(app, "", proxies, "0.0.0.0")
    seen = []
    app.before_request(lambda: seen.append(request.remote_addr))
    app.test_client().get("/languages", headers={"X-Forwarded-For": "192.0.2.66, 203.0.113.9, 198.51.100.4"})
    assert seen == [address]


def test_without_a_public_address_the_proxy_says_which_it_is(app):
    place(app, "", 1, "127.0.0.1")
    answer = app.test_client().get("/publications/woods", headers=BY_PROXY | {"X-Forwarded-Prefix": "/isogloss"})
    assert "https://library.example/isogloss/publications/woods" in answer.text and 'href="/isogloss/static/' in answer.text


@pytest.mark.parametrize("host", ["evil.example", "library.example:8000", "127.0.0.1.evil.example"])
def test_a_server_for_this_machine_answers_to_no_other_name(app, host):
    place(app, "", 0, "127.0.0.1")
    for path in ("/", "/api/v1/search?q=x", "/nowhere"):
        answer = app.test_client().get(path, headers={"Host": host})
        assert answer.status_code == 400 and "--address" in answer.text and answer.mimetype == "text/plain"


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1:8000", "[::1]:8000"])
def test_a_server_for_this_machine_answers_to_its_own_names(app, host):
    place(app, "", 0, "::1" if "[" in host else "127.0.0.1")
    assert app.test_client().get("/", headers={"Host": host}).status_code == 200


def test_a_server_for_a_network_answers_to_any_name_it_is_given_there(app):
    place(app, "", 0, "0.0.0.0")
    assert app.test_client().get("/", headers={"Host": "library.lan"}).status_code == 200
    assert [app.test_client().get("/", headers={"Host": host}).status_code for host in ("a b", "<script>", "a/b", "a@b", ":")] == [400] * 5


def test_https_is_said_to_be_kept_where_it_is_used_and_only_there(app):
    assert "Strict-Transport-Security" not in app.test_client().get("/").headers
    place(app, PUBLIC, 1, "127.0.0.1")
    assert app.test_client().get("/", headers=BY_PROXY).headers["Strict-Transport-Security"] == "max-age=31536000"


def test_on_the_command_line_addresses_are_those_within_the_site():
    assert within("/pages/0/1") == "/pages/0/1"
